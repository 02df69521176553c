import { lstatSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';

/** A lock that is held: an exclusive transaction on an empty database, which the kernel ends with its process. */
export class HeldFile {
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

export const inodeOf = (path: string): bigint | undefined =>
  lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;

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
