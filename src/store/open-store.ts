import type { World } from '../world/world.ts';
import type { Database } from './database.ts';
import { PostgresLocks } from './postgres-locks.ts';
import { type Locks, recordStore } from './record-store.ts';
import type { Sealer } from './sealer.ts';
import { openSqlite } from './sqlite-file.ts';
import { SqliteLocks } from './sqlite-locks.ts';
import { prepareStateDir } from './state-dir.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  readonly stateDir: string;
  readonly choice:
    | { readonly kind: 'sqlite' }
    | { readonly kind: 'postgres'; readonly url: string; readonly caFile?: string };
  readonly sealer: Sealer;
  /** The name of this node, unique among those that share a database. */
  readonly node: string;
}

/** Opens the records. Throws Fault `state-unsafe`, `state-newer`, `state-busy`, `state-write-failed` or `seal-wrong-key`. */
export async function openStore(world: World, options: StoreOptions): Promise<Store> {
  const { database, locks } = await openRecords(world, options);
  return recordStore(database, locks, options.sealer, world.clock);
}

/** What a store is made of. */
export async function openRecords(
  world: World,
  { stateDir, choice, sealer, node }: StoreOptions,
): Promise<{ readonly database: Database; readonly locks: Locks }> {
  await prepareStateDir(world, stateDir);
  const lockDir = `${stateDir}/locks`;
  await prepareStateDir(world, lockDir);
  const fileLocks = new SqliteLocks(world, lockDir);
  if (choice.kind === 'sqlite')
    return { database: await openSqlite(world, stateDir, sealer, fileLocks), locks: fileLocks };
  // Loaded where it is wanted only: a command on SQLite starts faster without it.
  const { openPostgres } = await import('./open-postgres.ts');
  const database = await openPostgres(world, choice, sealer);
  return { database, locks: new PostgresLocks(world, database, node, fileLocks) };
}
