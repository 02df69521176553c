import { Daemon } from '../../src/renew/daemon.ts';
import type { Engine } from '../../src/renew/engine.ts';
import type { JobReport } from '../../src/renew/job.ts';
import { after, between, type Millis } from '../../src/token/time.ts';
import type { PacedClock } from './paced-clock.ts';

/** A real daemon on a paced clock: time passes only while nothing is under way but what waits for time. */
export class DrivenDaemon implements AsyncDisposable {
  readonly daemon: Daemon;
  readonly reports: JobReport[] = [];
  turns = 0;
  readonly #clock: PacedClock;
  readonly #stop = new AbortController();
  readonly #hurry = new AbortController();
  readonly #ended: Promise<void>;
  #inFlight = 0;
  #changed = Promise.withResolvers<void>();

  constructor(engine: Engine, clock: PacedClock) {
    this.#clock = clock;
    const change = () => {
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    };
    clock.onSleep = change;
    this.daemon = new Daemon(engine, {
      stop: this.#stop.signal,
      hurry: this.#hurry.signal,
      onReport: (report) => void this.reports.push(report),
      onTurn: async ({ inFlight }) => {
        this.turns += 1;
        this.#inFlight = inFlight;
        change();
      },
    });
    this.#ended = this.daemon.run();
  }

  /** Lets so much time pass on both clocks, one waking after the other. */
  async pass(length: Millis): Promise<void> {
    const end = after(this.#clock.monotonic(), length);
    for (;;) {
      await this.settled();
      const now = this.#clock.monotonic();
      if (this.#clock.nextWake > end) {
        this.#clock.advance(between(now, end));
        return await this.settled();
      }
      this.#clock.advance(between(now, this.#clock.nextWake));
    }
  }

  /** Resolves when all that is left to do waits for time. */
  async settled(): Promise<void> {
    await new Promise(setImmediate);
    while (!this.#onlyTimeHelps()) await this.#changed.promise;
  }

  /** With jobs under way the daemon's own sleep says nothing: another one has to wait too, such as for an issuer's pace. */
  #onlyTimeHelps(): boolean {
    return this.#clock.sleepers > (this.#inFlight === 0 ? 0 : 1);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stop'));
    this.#hurry.abort(new Error('hurry'));
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
