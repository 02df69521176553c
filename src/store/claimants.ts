import type { Directory } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { createPrivateFile, HeldFile } from './held-file.ts';
import { isBusy } from './sqlite-fault.ts';

interface Claimant {
  /** Hexadecimal, so that it is the same in a file name and in a pattern of SQL. */
  readonly id: string;
  readonly lock: HeldFile;
}

/** Ends what a claimant holds. */
export type EndClaims = (id: string) => Promise<void>;

const fileOf = (id: string): string => `claimant-${id}.lock`;
const fileName = /^claimant-([0-9a-f]+)\.lock$/;

/**
 * Who holds claims on wishes. Each process that claims has an id and a lock file of that name, which the kernel lets go of when
 * it dies: whoever starts next on this host need not wait for the lease of a process that was killed.
 */
export class Claimants {
  readonly #world: World;
  readonly #directory: string;
  #mine: Promise<Claimant> | undefined;

  constructor(world: World, directory: string) {
    this.#world = world;
    this.#directory = directory;
  }

  /** The name of this process in its claims, made when it first claims something. */
  async own(node: string): Promise<string> {
    this.#mine ??= this.#enter().catch((thrown: unknown) => {
      this.#mine = undefined;
      throw thrown;
    });
    return `${node} ${(await this.#mine).id}`;
  }

  /**
   * Ends the claims of processes that are gone. An id without a lock file here belongs to another host, or to another state
   * directory on the same database: its claims keep their lease.
   */
  async voidDead(endClaims: EndClaims): Promise<void> {
    const mine = (await this.#mine)?.id;
    for (const name of await this.#inDirectory((directory) => directory.list())) {
      const id = fileName.exec(name)?.[1];
      if (id === undefined || id === mine) continue;
      const lock = await this.#tryToHold(id);
      if (lock !== undefined) await this.#leave({ id, lock }, endClaims);
    }
  }

  /** What is still claimed is free for others, and nothing is left behind. */
  async close(endClaims: EndClaims): Promise<void> {
    if (this.#mine !== undefined) await this.#leave(await this.#mine, endClaims);
    this.#mine = undefined;
  }

  async #enter(): Promise<Claimant> {
    for (;;) {
      const id = this.#world.random.bytes(12).toString('hex');
      await createPrivateFile(this.#world, this.#directory, fileOf(id));
      const lock = await this.#tryToHold(id);
      // Somebody may have taken it for a dead one's between the two lines above.
      if (lock !== undefined) return { id, lock };
    }
  }

  /** While we hold it, nobody else takes the same claimant for dead, or for alive. */
  async #tryToHold(id: string): Promise<HeldFile | undefined> {
    const path = `${this.#directory}/${fileOf(id)}`;
    if ((await this.#world.files.look(path)) === undefined) return undefined;
    try {
      const lock = new HeldFile(path);
      if (lock.stillOurs()) return lock;
      lock.release();
      return undefined;
    } catch (thrown) {
      if (isBusy(thrown)) return undefined;
      throw thrown;
    }
  }

  async #leave({ id, lock }: Claimant, endClaims: EndClaims): Promise<void> {
    try {
      await endClaims(id);
      await this.#inDirectory((directory) => directory.remove(fileOf(id)));
    } finally {
      lock.release();
    }
  }

  async #inDirectory<T>(work: (directory: Directory) => Promise<T>): Promise<T> {
    const directory = await this.#world.files.openDirectory(this.#directory);
    try {
      return await work(directory);
    } finally {
      await directory.close();
    }
  }
}
