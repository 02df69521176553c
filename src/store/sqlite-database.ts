import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Fault } from '../fault/fault.ts';
import { millis } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { Database, Row, Session, Value } from './database.ts';
import { isBroken, isBusy, sqliteFault } from './sqlite-fault.ts';

/** How long a statement waits inside SQLite, where nothing else of ours runs meanwhile. */
const busyInside = 50;
/** How often we come back after that; about ten seconds in all. */
const busyRounds = 100;
/** Writes in one transaction, at most, so that none waits for an endless stream of others. */
const largestGroup = 1_000;

interface Job {
  run(session: Session): Promise<void>;
  committed(): void;
  failed(thrown: unknown): void;
}

/** A connection with its prepared statements. */
class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, how: 'read' | 'write') {
    this.#database = new DatabaseSync(path, { timeout: busyInside, readOnly: how === 'read' });
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#database.prepare(sql.replaceAll(/\$(\d)/g, '?$1'));
    this.#statements.set(sql, made);
    return made;
  }

  rows(sql: string, values: readonly Value[]): readonly Row[] {
    return this.prepare(sql).all(...values) as unknown as Row[];
  }

  change(sql: string, values: readonly Value[] = []): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/**
 * SQLite behind {@link Database}. Writes that are asked for in the same turn of the event loop go into one transaction, each
 * under a savepoint of its own, and resolve after its commit has been synced: one sync for all of them. Nothing waits for
 * company; what comes in while a commit is running is the next group.
 */
export class SqliteDatabase implements Database {
  readonly where: string;
  readonly sql = {
    listed: (parameter: string) => `SELECT value FROM json_each(${parameter})`,
    skipLocked: '',
    forUpdate: '',
    forShare: '',
  };
  readonly #clock: Clock;
  readonly #onBroken: () => Promise<void>;
  #telling: Promise<void> | undefined;
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #session: Session;
  #waiting: Job[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;
  readonly #mend: string | undefined;

  /**
   * `onBroken` is told when SQLite finds the file damaged, so that the next one to open it looks closely; `mend` is what helps then, where
   * that is not what helps with the renewer's.
   */
  constructor(path: string, clock: Clock, onBroken: () => Promise<void>, mend?: string) {
    this.where = path;
    this.#mend = mend;
    this.#clock = clock;
    this.#onBroken = onBroken;
    this.#writer = new Connection(path, 'write');
    this.#writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF');
    this.#reader = new Connection(path, 'read');
    this.#session = {
      rows: async (sql, values = []) => this.#writer.rows(sql, values),
      change: async (sql, values = []) => this.#writer.change(sql, values),
    };
  }

  async read(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    this.#refuseWhenClosed();
    return await this.#patiently(() => this.#reader.rows(sql, values));
  }

  async write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#refuseWhenClosed();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: T;
    this.#waiting.push({
      run: async (session) => {
        result = await work(session);
      },
      committed: () => resolve(result),
      failed: (thrown) => reject(this.#fault(thrown)),
    });
    this.#flushing ??= this.#flushSoon();
    return await promise;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#flushing;
    await this.#telling;
    this.#reader.close();
    this.#writer.close();
  }

  async #flushSoon(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate);
      await this.#flush();
    }
    this.#flushing = undefined;
  }

  /** One transaction. A job that throws is undone alone; when the commit fails all of them failed. */
  async #flush(): Promise<void> {
    const done: Job[] = [];
    try {
      await this.#patiently(() => this.#writer.exec('BEGIN IMMEDIATE'));
    } catch (thrown) {
      for (const job of this.#waiting.splice(0)) job.failed(thrown);
      return;
    }
    try {
      while (this.#waiting.length > 0 && done.length < largestGroup) {
        const job = this.#waiting.shift() as Job;
        if (await this.#runAlone(job)) done.push(job);
      }
      this.#writer.change('COMMIT');
    } catch (thrown) {
      this.#rollBack();
      for (const job of done) job.failed(thrown);
      return;
    }
    for (const job of done) job.committed();
  }

  async #runAlone(job: Job): Promise<boolean> {
    try {
      this.#writer.change('SAVEPOINT job');
      await job.run(this.#session);
      this.#writer.change('RELEASE job');
      return true;
    } catch (thrown) {
      job.failed(thrown);
      this.#writer.change('ROLLBACK TO job');
      this.#writer.change('RELEASE job');
      return false;
    }
  }

  /** After some faults (a full disk, for one) SQLite has rolled back by itself, and says so when asked to do it. */
  #rollBack(): void {
    try {
      this.#writer.exec('ROLLBACK');
    } catch {
      // There is no transaction any more, which is what was wanted.
    }
  }

  async #patiently<T>(work: () => T): Promise<T> {
    for (let round = 1; ; round += 1) {
      try {
        return work();
      } catch (thrown) {
        if (!isBusy(thrown) || round === busyRounds) throw this.#fault(thrown);
        await this.#clock.sleep(millis(busyInside));
      }
    }
  }

  #fault(thrown: unknown): unknown {
    if (isBroken(thrown)) this.#telling ??= this.#onBroken();
    return sqliteFault(thrown, this.where, this.#mend);
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Fault('bug', `${this.where} was used after it was closed`);
  }
}
