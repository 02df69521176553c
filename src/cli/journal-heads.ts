import { asFault } from '../fault/fault.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import { between, hours, type Mono, mono } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';

const pause = hours(1);

/**
 * Writes to the journal, now and then, where the audit logs of our issuers end: whoever changes such a log cannot change the
 * journal too, as a rule, and a tail that was cut off shows. Says nothing of a log that did not grow.
 */
export class JournalHeads {
  readonly #issuers: Pick<OwnIssuers, 'heads'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #told = new Map<string, number>();
  #last: Mono = mono(0);
  #failed = false;
  #telling: Promise<void> | undefined;

  constructor(issuers: Pick<OwnIssuers, 'heads'>, clock: Clock, log: Logger) {
    this.#issuers = issuers;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called at every turn; never holds one up. */
  turn(): void {
    const now = this.#clock.monotonic();
    // An issuer is opened when it first signs, and until then there is nothing to tell.
    const isSoon = (this.#told.size > 0 || this.#failed) && between(this.#last, now) < pause;
    if (this.#telling !== undefined || isSoon) return;
    this.#last = now;
    this.#telling = this.#tell().finally(() => {
      this.#telling = undefined;
    });
  }

  /** The last word before the program ends. */
  async end(): Promise<void> {
    await this.#telling;
    await this.#tell();
  }

  async #tell(): Promise<void> {
    const { heads, failed } = await this.#issuers.heads();
    for (const { directory, chain, seq, hash } of heads) {
      const name = `${chain} of ${directory}`;
      if (this.#told.get(name) === seq) continue;
      this.#told.set(name, seq);
      this.#log.event('audit-head', { chain, directory, lines: seq, hash });
    }
    for (const { directory, thrown } of failed) {
      const doing = `reading where the audit log of the issuer in ${directory} ends`;
      this.#log.event('unexpected-fault', { doing, reason: asFault(thrown, doing).message });
    }
    this.#failed = failed.length > 0;
  }
}
