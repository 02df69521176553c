import {
  after,
  between,
  days,
  type Epoch,
  earliest,
  hours,
  latest,
  type Millis,
  millis,
  minutes,
  seconds,
} from '../token/time.ts';

const renewFrom = 0.5;
const renewTo = 0.66;
const firstRetry = seconds(5);
const shortestRetry = seconds(1);
const retryCap = minutes(5);
const retryCapExpired = hours(1);
/** A Retry-After above this is taken for a mistake (scenario 23). */
const longestRetryAfter = days(1);

/** How often something that was definitely refused is looked at again (scenario 9). */
export const recheckRefused = hours(1);

/**
 * The point at which a token is renewed: drawn once, uniform between half and two thirds of the life that is left when it is
 * received, so that many tokens obtained together do not come back together.
 * @param chance uniform in [0, 1)
 */
export function renewalPoint(received: Epoch, expiresAt: Epoch, chance: number): Epoch {
  const life = between(received, expiresAt);
  return after(received, millis(Math.max(shortestRetry, life * (renewFrom + (renewTo - renewFrom) * chance))));
}

export interface RetryCircumstances {
  readonly now: Epoch;
  /** How many times in a row it failed, this time included. */
  readonly failures: number;
  /** End of life of the token at hand; undefined without one. */
  readonly expiresAt: Epoch | undefined;
  /** What the issuer asked for. */
  readonly retryAfter: Epoch | undefined;
  readonly chance: number;
}

/**
 * When to try again after a passing failure: full jitter under a doubling cap of 5 s to 5 min, at most a quarter of the time left
 * and never under 1 s while the token lives; up to 1 h when it is gone. `Retry-After` is a floor, cut so that one try happens
 * while the token still lives, and uncut after that.
 */
export function nextTry(c: RetryCircumstances): Epoch {
  const left = c.expiresAt === undefined ? 0 : between(c.now, c.expiresAt);
  const alive = left > 0;
  const cap = alive ? Math.min(retryCap, left / 4) : retryCapExpired;
  const ceiling = Math.min(cap, firstRetry * 2 ** Math.min(c.failures - 1, 20));
  const own = after(c.now, millis(Math.max(shortestRetry, ceiling * c.chance)));
  if (c.retryAfter === undefined) return own;
  const bounded = earliest(c.retryAfter, after(c.now, alive ? millis(left / 2) : longestRetryAfter));
  return latest(own, bounded);
}

/** When something definitely refused is looked at again: about once an hour, spread by a tenth. */
export function nextRecheck(now: Epoch, chance: number): Epoch {
  return after(now, millis(recheckRefused * (1 + chance / 10)));
}

/** When somebody who was not let through looks again; sooner if the token at hand does not last. */
export function waitUntil(until: Epoch, spread: Millis, chance: number, expiresAt?: Epoch): Epoch {
  const left = expiresAt === undefined ? 0 : between(until, expiresAt);
  return after(until, millis((left > 0 ? Math.min(spread, left / 2) : spread) * chance));
}
