import { Fault } from '../fault/fault.ts';
import type { Database, Session } from '../store/database.ts';
import { type Epoch, minutes } from '../token/time.ts';

/** Grows when an older tokeep could not work with the tables any more. */
const format = 1;

/**
 * The tables of the server, beside those of `mint/`, in words that both databases understand. Times are milliseconds since 1970.
 *
 * `client.generation` grows with every change, so that what a node remembers can be compared within the transaction that
 * signs. `family.revoked_at` is set once and never taken back. `refresh.successor` is the token that came after this one, sealed with a key
 * that only the bearer of this one can derive: the same answer can be given again, while the table alone opens nothing.
 */
const tables: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS issuer_client (id TEXT PRIMARY KEY, generation BIGINT NOT NULL, doc TEXT NOT NULL, sum BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS issuer_family (id TEXT PRIMARY KEY, client TEXT NOT NULL, generation BIGINT NOT NULL,
     ends_at BIGINT NOT NULL, revoked_at BIGINT, doc TEXT NOT NULL, sum BIGINT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS issuer_family_end ON issuer_family (ends_at)`,
  `CREATE TABLE IF NOT EXISTS issuer_refresh (hash TEXT PRIMARY KEY, family TEXT NOT NULL, generation BIGINT NOT NULL,
     state TEXT NOT NULL, issued_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, superseded_at BIGINT, successor TEXT)`,
  `CREATE INDEX IF NOT EXISTS issuer_refresh_family ON issuer_refresh (family)`,
  `CREATE TABLE IF NOT EXISTS issuer_revoked (jti TEXT PRIMARY KEY, at BIGINT NOT NULL, until BIGINT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS issuer_revoked_until ON issuer_revoked (until)`,
  `CREATE TABLE IF NOT EXISTS issuer_spent (client TEXT NOT NULL, jti TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (client, jti))`,
  `CREATE INDEX IF NOT EXISTS issuer_spent_until ON issuer_spent (until)`,
  `CREATE TABLE IF NOT EXISTS issuer_server (format BIGINT NOT NULL)`,
];

/**
 * Makes the tables where they are missing; where they are there nothing but reading is asked for, so that the server's role
 * needs no right to make tables. Throws Fault `state-newer` and `state-*`.
 */
export async function prepareServerSchema(database: Database): Promise<void> {
  const found = await formatOf(database).catch(() => undefined);
  if (found === undefined) await makeTables(database);
  else if (found > format) {
    throw new Fault(
      'state-newer',
      `${database.where} has server tables of format ${found}, and this tokeep knows ${format}`,
      {
        hint: 'install the tokeep that wrote it, or a later one; nothing was touched',
      },
    );
  }
}

async function formatOf(database: Database): Promise<number | undefined> {
  const [row] = await database.read('SELECT format FROM issuer_server');
  return row === undefined ? undefined : Number(row['format']);
}

/** Two nodes that start together may both try; PostgreSQL lets one of them fail, for which everything is there then. */
async function makeTables(database: Database): Promise<void> {
  try {
    await database.write(async (session) => {
      for (const sql of tables) await session.change(sql);
      await session.change(
        'INSERT INTO issuer_server (format) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM issuer_server)',
        [format],
      );
    });
  } catch (thrown) {
    if ((await formatOf(database).catch(() => undefined)) !== format) throw thrown;
  }
}

/** What the server itself writes to, besides the tables of `mint/`. */
export const workingTables = ['issuer_family', 'issuer_refresh', 'issuer_revoked', 'issuer_spent'] as const;
/** What it only reads: clients are added and removed by the role that owns the tables. */
export const clientTableName = 'issuer_client';

/** The clocks of nodes differ a little: what has ended for one of them may live for another. */
const clocksApart = minutes(10);

/** Forgets what has ended by itself: a token that has expired needs no revocation, an assertion that has cannot be repeated. */
export async function sweepEnded(session: Session, now: Epoch): Promise<void> {
  const ended = now - clocksApart;
  await session.change('DELETE FROM issuer_revoked WHERE until < $1', [ended]);
  await session.change('DELETE FROM issuer_spent WHERE until < $1', [ended]);
  await session.change('DELETE FROM issuer_refresh WHERE family IN (SELECT id FROM issuer_family WHERE ends_at < $1)', [
    ended,
  ]);
  await session.change('DELETE FROM issuer_family WHERE ends_at < $1', [ended]);
}
