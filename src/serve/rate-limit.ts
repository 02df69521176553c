import { type Millis, millis } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';

export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

/** How many keys are remembered before those that owe nothing are forgotten. */
const swept = 10_000;

/**
 * So many a second for each key, and a burst after a pause (the generic cell rate algorithm: one number per key says until when
 * what was taken is paid for). Counted per process, in memory.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #ahead: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #paidUntil = new Map<string, number>();

  constructor({ perSecond, burst }: Rate, clock: Pick<Clock, 'monotonic'>) {
    this.#interval = 1000 / perSecond;
    // With less than one at once nothing would ever be let by.
    this.#ahead = this.#interval * Math.max(1, burst);
    this.#clock = clock;
  }

  /** Takes one; undefined if that was all right, else how long to wait. What is refused costs nothing. */
  take(key: string): Millis | undefined {
    const now = this.#clock.monotonic() as number;
    const until = Math.max(this.#paidUntil.get(key) ?? now, now) + this.#interval;
    if (until - now > this.#ahead) return millis(Math.ceil(until - now - this.#ahead));
    if (this.#paidUntil.size >= swept && !this.#paidUntil.has(key)) this.#sweep(now);
    this.#paidUntil.set(key, until);
    return undefined;
  }

  /** Forgets keys that owe nothing; if everybody owes something the oldest go, so that memory stays bounded in a flood. */
  #sweep(now: number): void {
    for (const [key, until] of this.#paidUntil) if (until <= now) this.#paidUntil.delete(key);
    for (const key of this.#paidUntil.keys()) {
      if (this.#paidUntil.size < swept) return;
      this.#paidUntil.delete(key);
    }
  }
}
