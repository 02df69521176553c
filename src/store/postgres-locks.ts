import { millis } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { Claimants } from './claimants.ts';
import type { Database } from './database.ts';
import type { Locks } from './record-store.ts';
import type { AccountLock } from './store.ts';
import { Turns } from './turns.ts';

/** How long a lock outlives an owner that is gone. Renewed three times as often. */
const lease = 30_000;
const firstWait = 25;
const longestWait = 1_000;

/** The clock of the database, which all nodes share. */
const databaseNow = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

interface Held {
  readonly name: string;
  readonly owner: string;
  readonly fence: number;
}

/**
 * Locks as rows with owner, fence and end. Nothing is held in the database between two looks: no session lock, no open
 * transaction, so a pooler may stand between. Whoever was away too long is told by {@link AccountLock.stillOurs} (scenario 32).
 */
export class PostgresLocks implements Locks {
  readonly #world: World;
  readonly #database: Database;
  readonly #node: string;
  readonly #local: Locks;
  readonly #turns = new Turns();
  readonly #held = new Set<AccountLock>();

  /** `local` has what is one per state directory and not per database: the lock of `tokeep run`, and who claims. */
  constructor(world: World, database: Database, node: string, local: Locks) {
    this.#world = world;
    this.#database = database;
    this.#node = node;
    this.#local = local;
  }

  async account(name: string, signal: AbortSignal): Promise<AccountLock> {
    const goOn = await this.#turns.take(name, signal);
    try {
      return this.#lock(await this.#acquire(`account ${name}`, signal), goOn);
    } catch (thrown) {
      goOn();
      throw thrown;
    }
  }

  get claimants(): Claimants {
    return this.#local.claimants;
  }

  run(): Promise<AsyncDisposable> {
    return this.#local.run();
  }

  async close(): Promise<void> {
    for (const lock of [...this.#held]) await lock.release();
    await this.#local.close();
  }

  #lock(held: Held, goOn: () => void): AccountLock {
    const ended = new AbortController();
    const release = async () => {
      if (ended.signal.aborted) return;
      ended.abort();
      this.#held.delete(lock);
      goOn();
      await this.#giveBack(held);
    };
    const stillOurs = async () => !ended.signal.aborted && (await this.#renew(held));
    const lock: AccountLock = { stillOurs, release, [Symbol.asyncDispose]: release };
    this.#held.add(lock);
    void this.#keepRenewing(held, ended.signal);
    return lock;
  }

  async #acquire(name: string, signal: AbortSignal): Promise<Held> {
    const owner = `${this.#node} ${this.#world.random.id()}`;
    for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
      signal.throwIfAborted();
      const [row] = await this.#database.write((session) =>
        session.rows(
          `INSERT INTO lease (name, owner, fence, until) VALUES ($1, $2, 1, ${databaseNow} + $3)
           ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = lease.fence + 1, until = excluded.until
           WHERE lease.until < ${databaseNow} RETURNING fence`,
          [name, owner, lease],
        ),
      );
      if (row !== undefined) return { name, owner, fence: Number(row['fence']) };
      await this.#world.clock.sleep(millis(wait), signal);
    }
  }

  /** A database that cannot be asked cannot say that the lock is ours. */
  async #renew({ name, owner, fence }: Held): Promise<boolean> {
    try {
      const changed = await this.#database.write((session) =>
        session.change(`UPDATE lease SET until = ${databaseNow} + $1 WHERE name = $2 AND owner = $3 AND fence = $4`, [
          lease,
          name,
          owner,
          fence,
        ]),
      );
      return changed === 1;
    } catch {
      return false;
    }
  }

  /** If it cannot be given back now it ends by itself. The row stays: its fence must not start again. */
  async #giveBack({ name, owner, fence }: Held): Promise<void> {
    try {
      await this.#database.write((session) =>
        session.change('UPDATE lease SET until = 0 WHERE name = $1 AND owner = $2 AND fence = $3', [
          name,
          owner,
          fence,
        ]),
      );
    } catch {
      // Ends after the lease.
    }
  }

  async #keepRenewing(held: Held, ended: AbortSignal): Promise<void> {
    try {
      while (!ended.aborted) {
        await this.#world.clock.sleep(millis(lease / 3), ended);
        await this.#renew(held);
      }
    } catch {
      // The sleep was ended: the lock is released.
    }
  }
}
