import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { postgresPlace } from './postgres-url.ts';
import { prepareSchema } from './schema.ts';
import type { Sealer } from './sealer.ts';

/** Any number will do, as long as all versions of tokeep take the same: two nodes that start together make the tables by turns. */
const schemaLock = 7_465_107_112;
const largestCa = 1024 * 1024;

async function readCa(world: World, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const ca = await world.files.readText(path, largestCa);
  if (ca === undefined) throw new Fault('config-invalid', `the CA file ${path} of the PostgreSQL store is not there`);
  return ca;
}

/** Connects, and makes the tables where they are missing. */
export async function openPostgres(
  world: World,
  choice: { readonly url: string; readonly caFile?: string },
  sealer: Sealer,
): Promise<PostgresDatabase> {
  const database = await connectPostgres(world, choice);
  try {
    await database.write(async (session) => {
      await session.rows('SELECT pg_advisory_xact_lock($1)', [schemaLock]);
      await prepareSchema(session, sealer, database.where);
    });
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** A connection, or a fault that says what is wrong with the address; nothing is asked of the database yet. */
export async function connectPostgres(
  world: World,
  choice: { readonly url: string; readonly caFile?: string },
): Promise<PostgresDatabase> {
  return new PostgresDatabase(postgresPlace(choice.url), await readCa(world, choice.caFile));
}
