import { Fault } from '../fault/fault.ts';
import { millis } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { Claimants } from './claimants.ts';
import { safeFileName } from './file-name.ts';
import { createPrivateFile, HeldFile, inodeOf } from './held-file.ts';
import type { Locks } from './record-store.ts';
import { isBusy, sqliteFault } from './sqlite-fault.ts';
import type { AccountLock } from './store.ts';
import { Turns } from './turns.ts';

const firstWait = 5;
const longestWait = 250;

/**
 * Locks in files below `directory`. Inside one process waiting goes by turns (a queue per name); between processes by looking
 * again. Nothing else may open these files: closing any descriptor of a file ends the POSIX locks its process has on it.
 */
export class SqliteLocks implements Locks {
  readonly claimants: Claimants;
  readonly #world: World;
  readonly #directory: string;
  readonly #turns = new Turns();
  readonly #held = new Set<HeldFile>();

  constructor(world: World, directory: string) {
    this.#world = world;
    this.#directory = directory;
    this.claimants = new Claimants(world, directory);
  }

  async account(name: string, signal: AbortSignal): Promise<AccountLock> {
    const goOn = await this.#turns.take(name, signal);
    try {
      return this.#lock(await this.#acquire(`${safeFileName(name)}.lock`, signal), goOn);
    } catch (thrown) {
      goOn();
      throw thrown;
    }
  }

  async run(): Promise<AsyncDisposable> {
    const held = await this.#tryToHold('run.only');
    if (held === undefined) {
      throw new Fault(
        'state-second-run',
        `another \`tokeep run\` or credmon is working on this state (${this.#directory})`,
        {
          hint: 'stop the other one first; `tokeep renew` works beside a run, and `status` beside both',
        },
      );
    }
    return this.#lock(held, () => {});
  }

  async close(): Promise<void> {
    for (const held of this.#held) held.release();
    this.#held.clear();
  }

  #lock(held: HeldFile, goOn: () => void): AccountLock {
    const release = async () => {
      held.release();
      this.#held.delete(held);
      goOn();
    };
    return { stillOurs: async () => held.stillOurs(), release, [Symbol.asyncDispose]: release };
  }

  async #acquire(file: string, signal: AbortSignal): Promise<HeldFile> {
    for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
      signal.throwIfAborted();
      const held = await this.#tryToHold(file);
      if (held !== undefined) return held;
      await this.#world.clock.sleep(millis(wait), signal);
    }
  }

  async #tryToHold(file: string): Promise<HeldFile | undefined> {
    const path = `${this.#directory}/${file}`;
    await this.#create(file);
    try {
      const held = new HeldFile(path);
      this.#held.add(held);
      return held;
    } catch (thrown) {
      if (isBusy(thrown)) return undefined;
      throw sqliteFault(thrown, path);
    }
  }

  /** SQLite itself would create the file as the umask has it. */
  async #create(file: string): Promise<void> {
    if (inodeOf(`${this.#directory}/${file}`) !== undefined) return;
    await createPrivateFile(this.#world, this.#directory, file);
  }
}
