import type { AccountName } from '../token/names.ts';
import { between, epoch, minutes } from '../token/time.ts';
import type { Directory, OpenFile } from '../world/files.ts';
import { writeAll } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { safeFileName } from './file-name.ts';
import { prepareStateDir } from './state-dir.ts';
import { largestSuccessorFile, readSuccessorLine } from './successor-file.ts';

/** A file that is not a successor yet. */
export interface Draft {
  readonly name: string;
  readonly file: OpenFile;
}

/** A file whose sync is being waited for by a process that lost its lock is not swept from under it. */
const oldEnough = minutes(10);

/** One directory of the spool. Every method may throw the system's error; the spool turns it into a Fault. */
export class SpoolPlace {
  readonly path: string;
  readonly #world: World;
  #opened: Promise<Directory> | undefined;

  constructor(world: World, path: string) {
    this.#world = world;
    this.path = path;
  }

  /** An empty draft of our own, 0600. */
  async begin(account: AccountName): Promise<Draft> {
    const directory = await this.#directory();
    const name = `${safeFileName(account)}.${this.#world.random.id()}.draft`;
    return { name, file: await directory.createExclusive(name, 0o600) };
  }

  /** Writes the bytes over the draft and makes it the account's successor: file synced before the rename, directory after. */
  async finish(draft: Draft, account: AccountName, bytes: Buffer): Promise<void> {
    const directory = await this.#directory();
    draft.file.seekStart();
    await writeAll(draft.file, bytes);
    await draft.file.truncate(bytes.length);
    await draft.file.sync();
    await directory.rename(draft.name, successorName(account));
    await directory.sync();
  }

  async read(account: AccountName) {
    const directory = await this.#directory();
    const name = successorName(account);
    if ((await directory.look(name)) === undefined) return undefined;
    const file = await directory.open(name, 'read');
    try {
      return { line: readSuccessorLine(await file.read(largestSuccessorFile), account) };
    } finally {
      await file.close();
    }
  }

  async remove(name: string): Promise<void> {
    const directory = await this.#directory();
    if ((await directory.look(name)) === undefined) return;
    await directory.remove(name);
    await directory.sync();
  }

  /** Takes the successor away if it is of this generation: a later one is somebody else's. */
  async discard(account: AccountName, generation: number): Promise<void> {
    const found = await this.read(account);
    if (found?.line?.generation === generation) await this.remove(successorName(account));
  }

  /** Where the damaged file lies afterwards. */
  async moveAside(account: AccountName): Promise<string> {
    const directory = await this.#directory();
    const aside = `${safeFileName(account)}.damaged-${this.#world.clock.now()}`;
    await directory.rename(successorName(account), aside);
    await directory.sync();
    return `${this.path}/${aside}`;
  }

  /** Removes drafts that a dead process left for this account (scenario 12). To be called under the account's lock. */
  async sweep(account: AccountName): Promise<void> {
    const directory = await this.#directory();
    const prefix = `${safeFileName(account)}.`;
    for (const name of await directory.list()) {
      if (!name.startsWith(prefix) || !name.endsWith('.draft')) continue;
      const facts = await directory.look(name);
      if (facts === undefined) continue;
      const age = Math.abs(between(epoch(facts.modifiedAt), this.#world.clock.now()));
      if (age > oldEnough) await directory.remove(name);
    }
  }

  /** Opened once; a place that could not be opened is tried again at the next call. */
  async #directory(): Promise<Directory> {
    this.#opened ??= this.#open();
    try {
      return await this.#opened;
    } catch (thrown) {
      this.#opened = undefined;
      throw thrown;
    }
  }

  async #open(): Promise<Directory> {
    await prepareStateDir(this.#world, this.path);
    return await this.#world.files.openDirectory(this.path);
  }
}

const successorName = (account: AccountName): string => `${safeFileName(account)}.successor`;
