import pg from 'pg';
import type { Database, Row, Session, Value } from './database.ts';
import { isWorthAnotherTry, postgresFault } from './postgres-fault.ts';
import type { PostgresPlace } from './postgres-url.ts';

const mostTries = 5;

const bigint = 20;
/** Times, fences and checksums are far below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text') =>
    oid === bigint ? Number : pg.types.getTypeParser(oid, format ?? 'text'),
} as pg.CustomTypesConfig;

/**
 * PostgreSQL behind {@link Database}. Fit for a pooler in transaction mode: no named statements, no session settings, no locks
 * that outlive a transaction.
 */
export class PostgresDatabase implements Database {
  readonly where: string;
  readonly sql = {
    listed: (parameter: string) => `SELECT jsonb_array_elements_text(${parameter}::jsonb)`,
    skipLocked: 'FOR UPDATE SKIP LOCKED',
    forUpdate: 'FOR UPDATE',
    forShare: 'FOR SHARE',
  };
  readonly #pool: pg.Pool;

  constructor(place: PostgresPlace, ca: string | undefined) {
    this.where = `PostgreSQL at ${place.host}, database ${place.database}`;
    const { host, port, database, user, password, local } = place;
    this.#pool = new pg.Pool({
      host,
      port,
      database,
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
      ssl: local ? false : { rejectUnauthorized: true, ...(ca !== undefined && { ca }) },
      application_name: 'tokeep',
      max: 8,
      connectionTimeoutMillis: 10_000,
      query_timeout: 30_000,
      idleTimeoutMillis: 30_000,
      types,
    });
    // A connection that breaks is replaced by the pool, and whoever used it is told by the query. Without a listener it would end the
    // process: on the pool for those nobody uses, on the connection itself for one that a transaction is using.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  async read(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    try {
      return (await this.#pool.query<Row>(sql, [...values])).rows;
    } catch (thrown) {
      throw postgresFault(thrown, this.where);
    }
  }

  async write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#transaction(work);
      } catch (thrown) {
        if (thrown instanceof ThrownByWork) throw thrown.thrown;
        if (!isWorthAnotherTry(thrown) || attempt === mostTries) throw postgresFault(thrown, this.where);
      }
    }
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken = false;
    try {
      await client.query('BEGIN');
      const result = await working(work, client);
      await client.query('COMMIT');
      return result;
    } catch (thrown) {
      // What the server did not refuse itself, as a query without an answer, leaves the connection in doubt: it is not waited for again.
      broken = !(isAnswer(thrown) && (await rolledBack(client)));
      throw thrown;
    } finally {
      client.release(broken);
    }
  }
}

/** What the work threw of itself, and not because the database failed it: that comes out as it is. */
class ThrownByWork {
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

async function working<T>(work: (session: Session) => Promise<T>, client: pg.PoolClient): Promise<T> {
  let failed: unknown;
  const query = async (sql: string, values: readonly Value[] = []) => {
    try {
      return await client.query<Row>(sql, [...values]);
    } catch (thrown) {
      failed = thrown;
      throw thrown;
    }
  };
  try {
    const result = await work({
      rows: async (sql, values) => (await query(sql, values)).rows,
      change: async (sql, values) => (await query(sql, values)).rowCount ?? 0,
    });
    // PostgreSQL has given up the transaction then, and would answer COMMIT with a quiet ROLLBACK.
    if (failed !== undefined) throw failed;
    return result;
  } catch (thrown) {
    throw thrown === failed ? thrown : new ThrownByWork(thrown);
  }
}

const isAnswer = (thrown: unknown): boolean => thrown instanceof ThrownByWork || thrown instanceof pg.DatabaseError;

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}
