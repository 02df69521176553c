import type { World } from '../world/world.ts';
import type { Database, Session } from './database.ts';
import { createPrivateFile } from './held-file.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { sqliteFault } from './sqlite-fault.ts';
import { prepareStateDir } from './state-dir.ts';

/** Where a database lies that is not the renewer's own: a file in a private directory, or PostgreSQL. */
export type DatabasePlace =
  | { readonly kind: 'sqlite'; readonly directory: string; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly caFile?: string };

/**
 * Opens a database with tables of the caller's own. `prepare` makes what is missing, in one transaction, by turns where several
 * start together. Unlike the renewer's state a damaged file is never begun anew: what lies in it cannot be learnt again.
 * Throws Fault `state-unsafe`, `state-broken`, `state-busy` or `state-write-failed`, and whatever `prepare` throws.
 */
export async function openDatabase(
  world: World,
  place: DatabasePlace,
  prepare: (session: Session, where: string) => Promise<void>,
): Promise<Database> {
  const database = await connect(world, place);
  try {
    await database.write(async (session) => {
      if (place.kind === 'postgres') await session.rows('SELECT pg_advisory_xact_lock($1)', [schemaLock]);
      await prepare(session, database.where);
    });
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** As in open-postgres.ts: any number, as long as all take the same. */
const schemaLock = 7_465_107_113;

const restore = 'stop what works with it, keep a copy of the file, and restore it from a backup';

async function connect(world: World, place: DatabasePlace): Promise<Database> {
  if (place.kind === 'postgres') {
    // Loaded where it is wanted only: a command on SQLite starts faster without it.
    const { connectPostgres } = await import('./open-postgres.ts');
    return await connectPostgres(world, place);
  }
  await prepareStateDir(world, place.directory);
  const path = `${place.directory}/${place.file}`;
  if ((await world.files.look(path)) === undefined) await createPrivateFile(world, place.directory, place.file);
  try {
    return new SqliteDatabase(path, world.clock, async () => {}, restore);
  } catch (thrown) {
    throw sqliteFault(thrown, path, restore);
  }
}
