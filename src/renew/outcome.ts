import { Fault } from '../fault/fault.ts';
import type { TokenFacts, Trouble, WishRecord } from '../store/records.ts';
import { type Epoch, earliest, type Millis } from '../token/time.ts';
import { nextRecheck, nextTry, renewalPoint, waitUntil } from './schedule.ts';
import { deadlineOf, type VerdictTerms } from './verdict.ts';

/** The outcome of one try for one wish, as the record sees it. */
export type Outcome =
  | {
      readonly kind: 'renewed';
      readonly facts: TokenFacts;
      readonly receivedAt: Epoch;
      readonly remark: Fault | undefined;
    }
  /** Passing: tried again with backoff. */
  | { readonly kind: 'failed'; readonly fault: Fault; readonly retryAfter: Epoch | undefined }
  /** A definite no: looked at again about once an hour. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  /** Nothing was tried, since nothing can come of it before then; no failure of this wish. */
  | { readonly kind: 'waits'; readonly fault: Fault; readonly until: Epoch; readonly spread: Millis };

export interface Moment {
  readonly now: Epoch;
  /** Uniform in [0, 1). */
  readonly chance: number;
}

/** The next record. Pure: the same record, outcome and moment always give the same. */
export function settled(record: WishRecord, terms: VerdictTerms, outcome: Outcome, moment: Moment): WishRecord {
  switch (outcome.kind) {
    case 'renewed':
      return renewed(record, terms, outcome, moment);
    case 'failed': {
      const failures = record.failures + 1;
      const expiresAt = record.token?.expiresAt;
      const at = nextTry({ ...moment, failures, expiresAt, retryAfter: outcome.retryAfter });
      return troubled(record, failures, troubleOf(record.trouble, outcome.fault, moment.now, at, outcome.retryAfter));
    }
    case 'refused': {
      const at = nextRecheck(moment.now, moment.chance);
      return troubled(record, record.failures + 1, troubleOf(record.trouble, outcome.fault, moment.now, at));
    }
    case 'waits': {
      const at = waitUntil(outcome.until, outcome.spread, moment.chance, record.token?.expiresAt);
      return troubled(record, record.failures, troubleOf(record.trouble, outcome.fault, moment.now, at));
    }
  }
}

function renewed(
  record: WishRecord,
  terms: VerdictTerms,
  { facts, receivedAt, remark }: Extract<Outcome, { kind: 'renewed' }>,
  { now, chance }: Moment,
): WishRecord {
  const renewAt = renewalPoint(receivedAt, facts.expiresAt, chance);
  const deadline = deadlineOf(terms, facts);
  return {
    ...record,
    fingerprint: terms.fingerprint,
    token: facts,
    renewAt,
    dueAt: deadline === undefined ? renewAt : earliest(renewAt, deadline),
    failures: 0,
    trouble: null,
    remark:
      remark === undefined ? lifetimeRemark(record, terms, facts, now) : troubleOf(record.remark, remark, now, renewAt),
    renewals: record.renewals + 1,
  };
}

function lifetimeRemark(record: WishRecord, terms: VerdictTerms, facts: TokenFacts, now: Epoch): Trouble | null {
  if (terms.minLifetime === undefined || deadlineOf(terms, facts) !== undefined) return null;
  const lives = Math.round((facts.expiresAt - facts.issuedAt) / 1000);
  const fault = new Fault(
    'token-short',
    `tokens of this issuer live ${lives} s, and min_lifetime asks for ${terms.minLifetime / 1000} s; renewed at its renewal point instead`,
    { hint: 'lower min_lifetime, or ask the issuer for longer tokens' },
  );
  return troubleOf(record.remark, fault, now, facts.expiresAt);
}

function troubled(record: WishRecord, failures: number, trouble: Trouble): WishRecord {
  return { ...record, failures, trouble, dueAt: trouble.nextTry ?? record.dueAt };
}

/** The same trouble goes on, or a new one begins. */
export function troubleOf(
  before: Trouble | null,
  fault: Fault,
  now: Epoch,
  next: Epoch | null,
  retryAfter?: Epoch,
): Trouble {
  const same = before?.code === fault.code;
  return {
    code: fault.code,
    who: fault.who,
    sentence: fault.message,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    since: same ? before.since : now,
    lastAt: now,
    attempts: same ? before.attempts + 1 : 1,
    nextTry: next,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
