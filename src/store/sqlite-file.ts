import { Fault } from '../fault/fault.ts';
import type { Epoch } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { quarantine } from './quarantine.ts';
import { prepareSchema } from './schema.ts';
import type { Sealer } from './sealer.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { isBroken, sqliteFault } from './sqlite-fault.ts';
import { createPrivateFile } from './sqlite-locks.ts';

const fileName = 'state.db';
const companions = ['', '-wal', '-shm'];

const isDamage = (thrown: unknown): boolean =>
  isBroken(thrown) || (thrown instanceof Fault && thrown.code === 'state-broken');

/** `20261122T031500Z`: sorts, and is safe in a file name. */
const stamp = (at: Epoch): string => new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** Opens the SQLite file of a state directory; one that is damaged is moved aside and a new one made (scenario 14). */
export async function openSqlite(world: World, stateDir: string, sealer: Sealer): Promise<SqliteDatabase> {
  try {
    return await open(world, stateDir, sealer);
  } catch (thrown) {
    if (!isDamage(thrown)) throw sqliteFault(thrown, `${stateDir}/${fileName}`);
  }
  const at = world.clock.now();
  const aside = `${fileName}.damaged-${stamp(at)}`;
  await moveAside(world, stateDir, aside);
  const database = await open(world, stateDir, sealer);
  const sentence = `the state in ${stateDir}/${fileName} was damaged; it lies in ${aside} now, and a new one was begun`;
  await database.write((session) =>
    quarantine(session, { what: 'database', name: fileName, at, sentence }, { file: aside }),
  );
  return database;
}

async function open(world: World, stateDir: string, sealer: Sealer): Promise<SqliteDatabase> {
  const path = `${stateDir}/${fileName}`;
  if ((await world.files.look(path)) === undefined) await createPrivateFile(world, stateDir, fileName);
  const database = new SqliteDatabase(path, world.clock);
  try {
    await database.write((session) => prepareSchema(session, sealer, path));
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

async function moveAside(world: World, stateDir: string, aside: string): Promise<void> {
  const directory = await world.files.openDirectory(stateDir);
  try {
    for (const suffix of companions) {
      const there = await directory.look(`${fileName}${suffix}`);
      if (there !== undefined) await directory.rename(`${fileName}${suffix}`, `${aside}${suffix}`);
    }
    await directory.sync();
  } finally {
    await directory.close();
  }
}
