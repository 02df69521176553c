import type { TokenFacts, WishRecord } from '../store/records.ts';
import { after, between, type Epoch, earliest, epoch, type Millis, millis, minutes } from '../token/time.ts';

/** The part of a wish that the verdict looks at. */
export interface VerdictTerms {
  readonly fingerprint: string;
  readonly minLifetime?: Millis;
  readonly freshness: 'due-point' | 'each-pass';
}

/** What kind of run is asking. */
export interface VerdictPolicy {
  /** `pass`: one `tokeep renew`; `daemon`: `tokeep run`; `forced`: --force. */
  readonly mode: 'pass' | 'daemon' | 'forced';
}

export type DueReason =
  | 'no-token'
  | 'wish-changed'
  | 'forced'
  | 'each-pass'
  | 'renewal-point'
  | 'below-minimum'
  | 'expired'
  | 'clock-behind'
  | 'retry';

/** The pure answer to "does this wish need renewing now?", with a reason a person can read. */
export type Verdict =
  | { readonly kind: 'fresh'; readonly until: Epoch; readonly because: string }
  | {
      readonly kind: 'due';
      readonly reason: DueReason;
      readonly urgency: 'normal' | 'deadline' | 'critical';
      readonly because: string;
    }
  | { readonly kind: 'wait'; readonly until: Epoch; readonly because: string }
  | { readonly kind: 'blocked'; readonly because: string };

export type Judge = (terms: VerdictTerms, record: WishRecord | undefined, now: Epoch, policy: VerdictPolicy) => Verdict;

/** Before this the clock has not been set since the machine started (scenario 19). */
const firstSaneTime = epoch(Date.UTC(2025, 0, 1));
/** How far a time of ours may lie in the future before the clock is taken to have been set back. */
export const clockTolerance = minutes(1);
const criticalShare = 0.1;
const shortestUse = 0.02;

/**
 * Does the wish need renewing now? The first rule that applies decides. All times are in terms of our own clock (the skew was
 * taken out when the token was accepted).
 */
export const judge: Judge = (terms, record, now, policy) => {
  if (policy.mode === 'forced') return due('forced', 'normal', 'asked for with --force');
  if (now < firstSaneTime) {
    return { kind: 'wait', until: after(now, minutes(1)), because: 'the clock of this machine is not set yet' };
  }
  if (record === undefined || record.token === null)
    return held(record, now) ?? due('no-token', 'critical', 'there is no token yet');
  const waiting = held(record, now);
  if (waiting !== undefined) return waiting;
  if (record.fingerprint !== terms.fingerprint) return due('wish-changed', 'normal', 'its configuration was changed');
  return judgeToken(terms, record, record.token, now, policy);
};

/** A failure whose next try has not come. One that happened "in the future" is void: the clock was set back. */
function held(record: WishRecord | undefined, now: Epoch): Verdict | undefined {
  const trouble = record?.trouble ?? null;
  if (trouble === null || trouble.lastAt > after(now, clockTolerance)) return undefined;
  if (trouble.nextTry === null) return { kind: 'blocked', because: trouble.sentence };
  return trouble.nextTry > now ? { kind: 'wait', until: trouble.nextTry, because: trouble.sentence } : undefined;
}

function judgeToken(
  terms: VerdictTerms,
  record: WishRecord,
  token: TokenFacts,
  now: Epoch,
  policy: VerdictPolicy,
): Verdict {
  const left = between(now, token.expiresAt);
  if (left <= 0) return due('expired', 'critical', 'the token has expired');
  if (token.issuedAt > after(now, clockTolerance))
    return due('clock-behind', 'normal', 'the clock was set back since it was issued');
  const urgency = left < criticalShare * between(token.issuedAt, token.expiresAt) ? 'critical' : 'normal';
  if (record.failures > 0) return due('retry', urgency, 'an earlier try failed');
  if (terms.freshness === 'each-pass' && policy.mode === 'pass')
    return due('each-pass', 'normal', 'a new token is wished in every pass');
  const deadline = deadlineOf(terms, token);
  if (deadline !== undefined && now >= deadline) {
    return due('below-minimum', urgency === 'critical' ? 'critical' : 'deadline', 'less than min_lifetime is left');
  }
  const renewAt = record.renewAt ?? now;
  if (now >= renewAt) return due('renewal-point', urgency, 'its renewal point has come');
  return {
    kind: 'fresh',
    until: deadline === undefined ? renewAt : earliest(renewAt, deadline),
    because: 'the token is fresh',
  };
}

/**
 * Where less than min_lifetime is left; none if the token never lives that long (then the renewal point decides, and a remark says so).
 * One that hardly lives longer is kept for a fiftieth of its life all the same: it would be renewed without a pause.
 */
export function deadlineOf(terms: Pick<VerdictTerms, 'minLifetime'>, token: TokenFacts): Epoch | undefined {
  if (terms.minLifetime === undefined) return undefined;
  const life = between(token.issuedAt, token.expiresAt);
  if (terms.minLifetime >= life) return undefined;
  const longest = millis(life * (1 - shortestUse));
  return after(token.expiresAt, millis(-Math.min(terms.minLifetime, longest)));
}

function due(reason: DueReason, urgency: 'normal' | 'deadline' | 'critical', because: string): Verdict {
  return { kind: 'due', reason, urgency, because };
}
