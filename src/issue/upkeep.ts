import type { Database } from '../store/database.ts';
import { between, type Epoch, type Mono, seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import { sweepEnded } from './server-schema.ts';

/** A clock that is disciplined by NTP is slewed by less than this in an hour (at most 500 ppm, RFC 5905). */
const mostApart = seconds(5);

/**
 * Deletes what has ended, turn by turn. A clock that was set far ahead would make everything end, and what was revoked would be good again
 * once it is set back: so only in turns since whose last one the wall clock went as fast as the monotonic one, and not in the first.
 */
export class Upkeep {
  readonly #database: Pick<Database, 'write'>;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  #last: { readonly wall: Epoch; readonly mono: Mono } | undefined;

  constructor(database: Pick<Database, 'write'>, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#database = database;
    this.#clock = clock;
  }

  async turn(): Promise<void> {
    const [wall, mono] = [this.#clock.now(), this.#clock.monotonic()];
    const last = this.#last;
    this.#last = { wall, mono };
    if (last === undefined) return;
    const apart = Math.abs(between(last.wall, wall) - (mono - last.mono));
    if (apart <= mostApart) await this.#database.write((session) => sweepEnded(session, wall));
  }
}
