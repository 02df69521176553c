import type { Database, Session } from '../store/database.ts';

type Work = (session: Session) => Promise<void>;

interface Job {
  readonly work: Work;
  readonly done: () => void;
  readonly failed: (thrown: unknown) => void;
}

/** Writes in one transaction, at most, so that none waits for an endless stream of others. */
const largestGroup = 500;

/**
 * Writes of the same moment in one transaction of PostgreSQL, as SQLite's are by themselves. Lines of one chain can only be written one
 * after the other, and each alone would wait for a sync of its own. They fail together: whoever writes here has nothing to undo.
 */
export class SharedWrites {
  readonly #database: Database;
  #waiting: Job[] = [];
  #running = false;

  constructor(database: Database) {
    this.#database = database;
  }

  async write(work: Work): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ work, done: resolve, failed: reject });
    if (!this.#running) void this.#run();
    await promise;
  }

  /** Never rejects: each job is told of its own fate. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const jobs = this.#waiting.splice(0, largestGroup);
      try {
        await this.#database.write(async (session) => {
          for (const { work } of jobs) await work(session);
        });
        for (const { done } of jobs) done();
      } catch (thrown) {
        for (const { failed } of jobs) failed(thrown);
      }
    }
    this.#running = false;
  }
}
