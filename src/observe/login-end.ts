import type { Account } from '../config/config.ts';
import type { AccountRecord } from '../store/records.ts';
import { between, days, type Epoch, type Millis, millis } from '../token/time.ts';
import type { Condition, Severity, Stage } from './condition.ts';
import { loginHint } from './next-step.ts';
import { span, timestamp } from './printable.ts';

interface Step {
  readonly name: Stage;
  readonly severity: Severity;
  /** The step is reached when no more than this is left of a life this long. */
  readonly left: (life: Millis) => number;
}

/**
 * From the mildest to the worst. The day stages never come before the seventh: a refresh token that lives eight hours and is
 * replaced at every renewal is not always "about to end".
 */
const steps: readonly Step[] = [
  { name: '1/3', severity: 'warning', left: (life) => life / 3 },
  { name: '1/7', severity: 'warning', left: (life) => life / 7 },
  { name: '3d', severity: 'warning', left: (life) => Math.min(days(3), life / 7) },
  { name: '1d', severity: 'critical', left: (life) => Math.min(days(1), life / 7) },
  { name: 'ended', severity: 'critical', left: () => 0 },
];

/** The end of life of an account's credential, as far as it is known and near (scenario 9). */
export function loginEnd(account: Account, record: AccountRecord, now: Epoch): Condition | undefined {
  const { expiry, credential, login } = record;
  if (expiry.kind === 'unknown' || credential === null || login !== 'ready') return undefined;
  const life = millis(Math.max(0, between(credential.obtainedAt, expiry.at)));
  const left = between(now, expiry.at);
  const reached = steps.filter((step) => left <= step.left(life)).at(-1);
  if (reached === undefined) return undefined;
  const sentence =
    left <= 0
      ? `the login of account ${account.name} ended at ${timestamp(expiry.at)}`
      : `the login of account ${account.name} ends in ${span(left)}, at ${timestamp(expiry.at)}`;
  return {
    key: `account:${account.name}:login-ends`,
    subject: { kind: 'account', name: account.name },
    code: 'login-ends',
    severity: reached.severity,
    who: 'user',
    sentence,
    hint: loginHint(account),
    since: null,
    nextTry: null,
    stage: reached.name,
  };
}
