import type { Epoch, Millis, Mono } from '../token/time.ts';

/**
 * Time, as a port.
 *
 * Contract: `now` is the wall clock and may jump either way; `monotonic` never goes back, and does not count while the machine
 * is suspended. `sleep` resolves after `length` of monotonic time or rejects with the signal's reason; it accepts any length,
 * but no caller may rely on a sleep above 60 s (callers wake at least once a minute and compare the two clocks).
 */
export interface Clock {
  now(): Epoch;
  monotonic(): Mono;
  sleep(length: Millis, signal?: AbortSignal): Promise<void>;
}
