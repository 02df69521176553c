import { lstatSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../fault/fault.ts';
import { millis } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { safeFileName } from './file-name.ts';
import type { Locks } from './record-store.ts';
import { isBusy, sqliteFault } from './sqlite-fault.ts';
import type { AccountLock } from './store.ts';
import { Turns } from './turns.ts';

const firstWait = 5;
const longestWait = 250;

/** A lock that is held: an exclusive transaction on an empty database, which the kernel ends with its process. */
class HeldFile {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #inode: bigint | undefined;
  #held = true;

  constructor(path: string) {
    this.#path = path;
    this.#database = new DatabaseSync(path, { timeout: 0 });
    try {
      this.#database.exec('BEGIN EXCLUSIVE');
    } catch (thrown) {
      this.#database.close();
      throw thrown;
    }
    this.#inode = inodeOf(path);
  }

  /** Not if somebody removed the file: the next one locks a new file, and both believe. */
  stillOurs(): boolean {
    return this.#held && this.#inode !== undefined && inodeOf(this.#path) === this.#inode;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#database.close();
  }
}

const inodeOf = (path: string): bigint | undefined => lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;

/**
 * Locks in files below `directory`. Inside one process waiting goes by turns (a queue per name); between processes by looking
 * again. Nothing else may open these files: closing any descriptor of a file ends the POSIX locks its process has on it.
 */
export class SqliteLocks implements Locks {
  readonly #world: World;
  readonly #directory: string;
  readonly #turns = new Turns();
  readonly #held = new Set<HeldFile>();

  constructor(world: World, directory: string) {
    this.#world = world;
    this.#directory = directory;
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
      throw new Fault('state-second-run', `another \`tokeep run\` is working on this state (${this.#directory})`, {
        hint: 'stop the other one first, or use `tokeep renew`, which works beside it',
      });
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

/** Makes an empty file of mode 0600, unless it is there. */
export async function createPrivateFile(world: World, path: string, name: string): Promise<void> {
  const directory = await world.files.openDirectory(path);
  try {
    const file = await directory.createExclusive(name, 0o600);
    await file.close();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    throw new Fault('state-write-failed', `${path}/${name} could not be created (${code ?? 'unknown'})`, {
      cause: thrown,
    });
  } finally {
    await directory.close();
  }
}
