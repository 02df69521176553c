import type { Account } from '../config/config.ts';
import { exit, type FaultCode, faultCodes } from '../fault/codes.ts';
import type { AccountRecord, Trouble } from '../store/records.ts';
import { between, type Epoch, minutes } from '../token/time.ts';
import type { Condition, Severity } from './condition.ts';
import { loginEnd } from './login-end.ts';
import { hintFor, loginHint } from './next-step.ts';
import { printable, timestamp } from './printable.ts';
import { isUsersOwn, whose } from './users-turn.ts';

/** An intent that is open for longer than any request may take was left by an interrupted run. */
const longestRequest = minutes(10);

/** Nobody but a person ends it: critical. It is tried again: a warning. */
export function severityOf(code: FaultCode): Severity {
  if (code === 'successor-unsaved' || code === 'seal-damaged') return 'critical';
  return faultCodes[code].exit === exit.temporary ? 'warning' : 'critical';
}

/** The part of a condition that a stored trouble tells. */
export function ofTrouble(
  trouble: Trouble,
  hint: string | undefined,
): Omit<Condition, 'key' | 'subject' | 'causedBy' | 'code'> & { readonly code: FaultCode } {
  const next = trouble.hint ?? hint;
  return {
    code: trouble.code,
    severity: severityOf(trouble.code),
    who: trouble.who,
    sentence: printable(trouble.sentence),
    ...(next === undefined ? {} : { hint: printable(next) }),
    since: trouble.since,
    nextTry: trouble.nextTry,
    stage: 'raised',
  };
}

/** What is wrong with one configured account. `loginAsked` is since when a wish of it has been waiting for a login, if one has. */
export function accountConditions(
  account: Account,
  record: AccountRecord | undefined,
  loginAsked: Epoch | undefined,
  now: Epoch,
): readonly Condition[] {
  const subject = { kind: 'account', name: account.name } as const;
  const about = (what: string) => ({ key: `account:${account.name}:${what}`, subject });
  if (record === undefined || record.login === 'none') return neverLoggedIn(account, record, loginAsked);
  const found: Condition[] = [];
  const { trouble, writeBack } = record;
  if (record.login !== 'ready') found.push({ ...about('login'), ...refusedLogin(account, record) });
  else if (trouble !== null && !ofLogin(trouble.code))
    found.push({
      ...about(trouble.code),
      ...ofTrouble(trouble, hintFor(trouble.code, account, account.name)),
      who: whose(trouble, account),
    });
  const unknown = unknownOutcome(account, record, now);
  if (unknown !== undefined) found.push({ ...about('outcome-unknown'), ...unknown });
  const ends = loginEnd(account, record, now);
  if (ends !== undefined) found.push(ends);
  if (writeBack !== null && writeBack.trouble !== null) {
    found.push({
      ...about('write-back-failed'),
      ...ofTrouble(writeBack.trouble, `make ${writeBack.path} writable for tokeep`),
      code: 'write-back-failed',
      severity: 'warning',
    });
  }
  return found;
}

const ofLogin = (code: FaultCode): boolean => code === 'login-needed' || code === 'login-suspended';

function neverLoggedIn(
  account: Account,
  record: AccountRecord | undefined,
  asked: Epoch | undefined,
): readonly Condition[] {
  const trouble = record?.trouble ?? null;
  const key = `account:${account.name}`;
  const subject = { kind: 'account', name: account.name } as const;
  if (trouble !== null && !ofLogin(trouble.code)) {
    const told = ofTrouble(trouble, hintFor(trouble.code, account, account.name));
    return [{ key: `${key}:${trouble.code}`, subject, ...told, who: whose(trouble, account) }];
  }
  // Taken over at the first renewal, from oidc-agent or HTCondor: until something says that this failed, there is nothing to do.
  const isElsewhere = account.newLogin !== undefined;
  const needsLogin = account.grant === 'refresh_token' && account.oidcAgentFile === undefined && !isElsewhere;
  if (trouble === null && asked === undefined && !needsLogin) return [];
  return [
    {
      key: `${key}:login`,
      subject,
      code: 'login-needed',
      severity: 'critical',
      who: 'user',
      sentence: trouble === null ? `nobody has logged in for account ${account.name} yet` : printable(trouble.sentence),
      hint: loginHint(account),
      since: trouble?.since ?? asked ?? null,
      nextTry: trouble?.nextTry ?? null,
      stage: 'none',
    },
  ];
}

function refusedLogin(account: Account, record: AccountRecord): Omit<Condition, 'key' | 'subject'> {
  const { trouble } = record;
  const dead = record.login === 'dead';
  const known =
    trouble === null
      ? `the login of account ${account.name} is ${dead ? 'dead' : 'refused by the issuer'}`
      : printable(trouble.sentence);
  return {
    code: dead ? 'login-needed' : 'login-suspended',
    severity: dead ? 'critical' : 'warning',
    who: dead || isUsersOwn(account) ? 'user' : 'wait',
    sentence: known,
    hint: dead ? loginHint(account) : `if it does not come back by itself, ${loginHint(account)}`,
    since: trouble?.since ?? null,
    nextTry: trouble?.nextTry ?? null,
    stage: dead ? 'dead' : 'suspended',
  };
}

function unknownOutcome(
  account: Account,
  record: AccountRecord,
  now: Epoch,
): Omit<Condition, 'key' | 'subject'> | undefined {
  const { intent } = record;
  if (intent === null || record.login === 'dead') return undefined;
  if (intent.outcome === 'open' && between(intent.at, now) < longestRequest) return undefined;
  return {
    code: 'outcome-unknown',
    severity: 'warning',
    who: 'wait',
    sentence: `the refresh token of account ${record.name} was sent at ${timestamp(intent.at)} and no answer came; it may have been used up`,
    hint: `nothing to do unless it is refused later; then ${loginHint(account)}`,
    since: intent.at,
    nextTry: record.trouble?.nextTry ?? null,
    stage: 'unknown',
  };
}
