import type { Account, Wish } from '../config/config.ts';
import { exit, faultCodes } from '../fault/codes.ts';
import type { DeliveryRecord, Trouble, WishRecord } from '../store/records.ts';
import { between, type Epoch } from '../token/time.ts';
import { ofTrouble } from './account-conditions.ts';
import type { Condition } from './condition.ts';
import { hintFor, word } from './next-step.ts';
import { span, timestamp } from './printable.ts';
import { whose } from './users-turn.ts';

/** What a wish may suffer from without being ill itself: the keys of conditions that are raised now. */
export interface Causes {
  readonly account: string | undefined;
  readonly issuer: string | undefined;
  readonly idle: string | undefined;
}

/** What is wrong with one configured wish. */
export function wishConditions(
  wish: Wish,
  account: Account | undefined,
  record: WishRecord,
  causes: Causes,
  now: Epoch,
): readonly Condition[] {
  const { trouble, remark } = record;
  const subject = { kind: 'wish', name: wish.name } as const;
  const found: Condition[] = [];
  const cause = trouble === null ? causes.idle : causeOf(trouble, causes);
  const out = runsOut(wish, account, record, now);
  if (trouble !== null) {
    const told = ofTrouble(trouble, hintFor(trouble.code, account, wish.account));
    const mild = out === undefined && faultCodes[trouble.code].exit === exit.temporary;
    found.push({
      ...told,
      key: `wish:${wish.name}:${trouble.code}`,
      subject,
      who: whose(trouble, account, wish),
      // A try that failed while the token is good until the next one is shown, and nobody is told of it.
      severity: mild ? 'notice' : out?.severity === 'critical' ? 'critical' : told.severity,
      stage: out?.stage ?? told.stage,
      ...(cause === undefined ? {} : { causedBy: cause }),
    });
  }
  if (out !== undefined) {
    const root = trouble === null ? cause : `wish:${wish.name}:${trouble.code}`;
    found.push({ ...out, ...(root === undefined ? {} : { causedBy: root }) });
  }
  if (remark !== null) {
    const told = ofTrouble(remark, undefined);
    found.push({ ...told, key: `wish:${wish.name}:${remark.code}`, subject, severity: 'warning' });
  }
  return found;
}

/** Whose fault a failed renewal is: a trouble that the account or the issuer has as a whole is theirs. */
function causeOf(trouble: Trouble, causes: Causes): string | undefined {
  const { code } = trouble;
  if (code.startsWith('issuer-') || code === 'outcome-unknown') return causes.issuer ?? causes.account;
  if (code.startsWith('request-') || code.startsWith('token-')) return undefined;
  return causes.account;
}

/** A token that is not there, has run out, or will before anybody tries again. */
function runsOut(wish: Wish, account: Account | undefined, record: WishRecord, now: Epoch): Condition | undefined {
  const { token, trouble } = record;
  const base = {
    key: `wish:${wish.name}:token-runs-out`,
    subject: { kind: 'wish', name: wish.name },
    code: 'token-runs-out',
    who: trouble === null ? 'wait' : whose(trouble, account, wish),
    hint: `see why: tokeep status ${word(wish.name)}`,
    nextTry: trouble === null ? record.dueAt : trouble.nextTry,
  } as const;
  if (token === null) {
    if (trouble === null) return undefined;
    const sentence = `there is no token for ${wish.name} yet`;
    return { ...base, severity: 'critical', sentence, since: trouble.since, stage: 'expired' };
  }
  if (token.expiresAt <= now) {
    const sentence = `the token for ${wish.name} expired ${span(between(token.expiresAt, now))} ago, at ${timestamp(token.expiresAt)}`;
    return { ...base, severity: 'critical', sentence, since: token.expiresAt, stage: 'expired' };
  }
  if (trouble === null || (trouble.nextTry !== null && trouble.nextTry < token.expiresAt)) return undefined;
  const next = trouble.nextTry === null ? 'nothing is tried again by itself' : 'the next try comes later';
  const sentence = `the token for ${wish.name} expires in ${span(between(now, token.expiresAt))}, and ${next}`;
  return { ...base, severity: 'warning', sentence, since: trouble.since, stage: 'runs-out' };
}

/** What is wrong at one target; targets that are no longer configured are nobody's worry. */
export function targetCondition(wish: Wish, record: DeliveryRecord): Condition | undefined {
  if (record.trouble === null || !wish.targets.some(({ id }) => id === record.target)) return undefined;
  const name = `${wish.name} at ${record.target}`;
  return {
    ...ofTrouble(record.trouble, undefined),
    key: `target:${wish.name}:${record.target}@${record.node}`,
    subject: { kind: 'target', name },
  };
}
