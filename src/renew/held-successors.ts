import { Fault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import type { AccountName } from '../token/names.ts';
import { millis, seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';

const longestPause = seconds(30);

/**
 * Successors that no disk takes (scenario 6). They are held in memory and saved again and again; meanwhile the account's lock
 * stays ours, nothing more is sent for it, and a stop waits.
 */
export class HeldSuccessors {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #held = new Map<AccountName, Fault>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** The accounts whose successor is in memory only, and why. */
  get now(): ReadonlyMap<AccountName, Fault> {
    return this.#held;
  }

  /** Calls `save` until it succeeds. */
  async untilSaved(account: AccountName, save: () => Promise<void>): Promise<void> {
    for (let failures = 0; ; failures++) {
      const fault = await attempt(save);
      if (fault === undefined) break;
      if (!this.#held.has(account)) this.#log.event('successor-kept-in-memory', { account, reason: fault.message });
      this.#held.set(account, fault);
      await this.#clock.sleep(millis(Math.min(longestPause, 1000 * 2 ** failures)));
    }
    if (this.#held.delete(account)) this.#log.event('successor-saved', { account });
  }
}

async function attempt(save: () => Promise<void>): Promise<Fault | undefined> {
  try {
    await save();
    return undefined;
  } catch (thrown) {
    return thrown instanceof Fault
      ? thrown
      : new Fault('successor-unsaved', 'saving the new refresh token failed', { cause: thrown });
  }
}
