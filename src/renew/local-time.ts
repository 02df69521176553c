import type { RawAnswer } from '../acquire/grant.ts';
import type { TokenFacts } from '../store/records.ts';
import { after, between, type Epoch, millis, seconds } from '../token/time.ts';

/** Up to here our clock and the issuer's are taken to agree. */
const tolerance = seconds(60);

/** When an answer came, and how far our clock is ahead of the issuer's (milliseconds; undefined if it did not say). */
export interface AnswerTimes {
  readonly receivedAt: Epoch;
  readonly skew: number | undefined;
}

/** From the `Date` header, which has whole seconds. */
export function timesOf(raw: RawAnswer): AnswerTimes {
  const theirs = Date.parse(raw.headers['date'] ?? '');
  return { receivedAt: raw.receivedAt, skew: Number.isNaN(theirs) ? undefined : raw.receivedAt - theirs };
}

/**
 * The token's times in terms of our own clock. Where the two clocks differ by more than a minute, a fresh token may look expired
 * or from the future; then its times are moved by the measured difference, so that every later judgement is right without
 * knowing of it (scenario 22).
 */
export function inLocalTime(facts: TokenFacts, times: AnswerTimes): TokenFacts {
  const skew = times.skew ?? fromIssueTime(facts, times);
  if (Math.abs(skew) <= tolerance || facts.lifeFrom !== 'exp') return facts;
  return { ...facts, issuedAt: after(facts.issuedAt, millis(skew)), expiresAt: after(facts.expiresAt, millis(skew)) };
}

/** Without a Date header a token from the future still gives the difference away. One from the past may be just that. */
function fromIssueTime(facts: TokenFacts, times: AnswerTimes): number {
  const ahead = between(times.receivedAt, facts.issuedAt);
  return ahead > tolerance ? -ahead : 0;
}
