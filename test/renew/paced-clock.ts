import { after, type Millis, type Mono, millis } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';

/** A test clock that knows when the next sleeper wakes, so that days pass as fast as the code under test gets through them. */
export class PacedClock extends TestClock {
  readonly #waking = new Set<{ readonly at: Mono }>();
  /** The longest sleep that was ever asked for. */
  longestSleep: Millis = millis(0);
  onSleep: () => void = () => {};

  override sleep(length: Millis, signal?: AbortSignal): Promise<void> {
    const sleeper = { at: after(this.monotonic(), millis(Math.max(0, length))) };
    const gone = () => void this.#waking.delete(sleeper);
    if (length > this.longestSleep) this.longestSleep = length;
    this.#waking.add(sleeper);
    signal?.addEventListener('abort', gone, { once: true });
    const slept = super.sleep(length, signal).finally(() => {
      gone();
      signal?.removeEventListener('abort', gone);
    });
    this.onSleep();
    return slept;
  }

  override advance(length: Millis): void {
    const until = after(this.monotonic(), length);
    for (const sleeper of this.#waking) if (sleeper.at <= until) this.#waking.delete(sleeper);
    super.advance(length);
  }

  get sleepers(): number {
    return this.#waking.size;
  }

  /** When the first sleeper wakes. */
  get nextWake(): Mono {
    return Math.min(...[...this.#waking].map(({ at }) => at)) as Mono;
  }
}
