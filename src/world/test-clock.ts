import { after, type Epoch, epoch, type Millis, type Mono, millis, mono } from '../token/time.ts';
import type { Clock } from './clock.ts';

interface Sleeper {
  readonly at: Mono;
  readonly wake: () => void;
}

/**
 * A clock that stands still until it is moved. `sleeping(n)` resolves when that many sleeps are under way, so that a test
 * moves time only after the code under test has begun to wait.
 */
export class TestClock implements Clock {
  #wall: Epoch;
  #mono: Mono = mono(0);
  readonly #sleepers = new Set<Sleeper>();
  readonly #watchers = new Set<() => void>();

  constructor(start: Epoch = epoch(Date.UTC(2026, 10, 22))) {
    this.#wall = start;
  }

  now(): Epoch {
    return this.#wall;
  }

  monotonic(): Mono {
    return this.#mono;
  }

  sleep(length: Millis, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const aborted = () => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    const wake = () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    };
    const sleeper = { at: after(this.#mono, millis(Math.max(0, length))), wake };
    signal?.addEventListener('abort', aborted, { once: true });
    this.#sleepers.add(sleeper);
    for (const look of this.#watchers) look();
    return promise;
  }

  /** Resolves once at least `count` sleeps are under way. */
  sleeping(count = 1): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (this.#sleepers.size < count) return;
      this.#watchers.delete(look);
      resolve();
    };
    this.#watchers.add(look);
    look();
    return promise;
  }

  /** Time passes, on both clocks; whoever has slept long enough wakes. */
  advance(length: Millis): void {
    this.#wall = after(this.#wall, length);
    this.#mono = after(this.#mono, length);
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.at > this.#mono) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** The wall clock is set, forwards or back, or time passed that the monotonic clock did not see (a suspended machine). */
  set(wall: Epoch): void {
    this.#wall = wall;
  }
}
