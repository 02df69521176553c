import { Fault } from '../../fault/fault.ts';
import type { Database, Session } from '../../store/database.ts';
import { openDatabase } from '../../store/open-database.ts';
import type { World } from '../../world/world.ts';

/** Grows when an older tokeep could not work with the tables any more. */
const format = 1;

const tables: readonly string[] = [
  `CREATE TABLE web_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)`,
  `CREATE TABLE web_session (hash TEXT PRIMARY KEY, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, doc TEXT NOT NULL)`,
  `CREATE TABLE web_attempt (hash TEXT PRIMARY KEY, session TEXT NOT NULL, created_at BIGINT NOT NULL, doc TEXT NOT NULL)`,
  `CREATE TABLE web_pin (local_user TEXT NOT NULL, service TEXT NOT NULL, iss TEXT NOT NULL, sub TEXT NOT NULL,
     pinned_at BIGINT NOT NULL, refused_iss TEXT, refused_sub TEXT, refused_at BIGINT, PRIMARY KEY (local_user, service))`,
];

export const webDatabaseFile = 'web.db';

/** The database of the web login, made where it is missing. Throws Fault `state-*`. */
export async function openWebDatabase(world: World, directory: string): Promise<Database> {
  const place = { kind: 'sqlite', directory, file: webDatabaseFile } as const;
  return await openDatabase(world, place, (session, where) => prepare(world, session, where));
}

async function prepare(world: World, session: Session, where: string): Promise<void> {
  const [there] = await session.rows(`SELECT name FROM sqlite_master WHERE name = 'web_meta'`);
  if (there === undefined) {
    for (const sql of tables) await session.change(sql);
    const key = world.random.bytes(32).toString('base64url');
    const insert = 'INSERT INTO web_meta (key, value) VALUES ($1, $2)';
    await session.change(insert, ['format', String(format)]);
    await session.change(insert, ['form_key', key]);
  }
  const [found] = await session.rows(`SELECT value FROM web_meta WHERE key = 'format'`);
  if (Number(found?.['value']) <= format) return;
  throw new Fault('state-newer', `${where} has format ${found?.['value']} and this tokeep knows ${format}`, {
    hint: 'install the tokeep that wrote it, or a later one; nothing was changed',
  });
}

/** What form tokens are made with; the same for all who share the database, also after a restart. */
export async function formKey(database: Database): Promise<Buffer> {
  const [row] = await database.read(`SELECT value FROM web_meta WHERE key = 'form_key'`);
  return Buffer.from(String(row?.['value']), 'base64url');
}
