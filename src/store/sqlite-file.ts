import { Fault } from '../fault/fault.ts';
import type { Epoch } from '../token/time.ts';
import type { Directory } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { createPrivateFile } from './held-file.ts';
import { quarantine } from './quarantine.ts';
import type { Locks } from './record-store.ts';
import { prepareSchema } from './schema.ts';
import type { Sealer } from './sealer.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { isBroken, sqliteFault } from './sqlite-fault.ts';
import { salvage } from './sqlite-salvage.ts';

const fileName = 'state.db';
const companions = ['', '-wal', '-shm'];
/** Left by a process that met damage: whoever opens the file next looks at all of it. */
const suspectMark = `${fileName}.suspect`;

const isDamage = (thrown: unknown): boolean =>
  isBroken(thrown) || (thrown instanceof Fault && thrown.code === 'state-broken');

/** `20261122T031500Z`: sorts, and is safe in a file name. */
const stamp = (at: Epoch): string => new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** Opens the SQLite file of a state directory; one that is damaged is moved aside and a new one made (scenario 14). */
export async function openSqlite(
  world: World,
  stateDir: string,
  sealer: Sealer,
  locks: Locks,
): Promise<SqliteDatabase> {
  try {
    return await open(world, stateDir, sealer);
  } catch (thrown) {
    if (!isDamage(thrown)) throw sqliteFault(thrown, `${stateDir}/${fileName}`);
  }
  await using _alone = await lockToMend(stateDir, locks);
  try {
    // Somebody else may have mended it while we waited for the lock.
    return await open(world, stateDir, sealer);
  } catch (thrown) {
    if (!isDamage(thrown)) throw sqliteFault(thrown, `${stateDir}/${fileName}`);
  }
  return await startAfresh(world, stateDir, sealer);
}

/** A `tokeep run` that has the damaged file open would go on writing into it after it was moved. */
async function lockToMend(stateDir: string, locks: Locks): Promise<AsyncDisposable> {
  try {
    return await locks.run();
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'state-second-run') throw thrown;
    throw new Fault('state-broken', `${stateDir}/${fileName} is damaged, and \`tokeep run\` is working on it`, {
      hint: 'restart `tokeep run`: it moves the damaged file aside and keeps what can be read',
    });
  }
}

async function startAfresh(world: World, stateDir: string, sealer: Sealer): Promise<SqliteDatabase> {
  const at = world.clock.now();
  const aside = `${fileName}.damaged-${stamp(at)}`;
  await moveAside(world, stateDir, aside);
  const database = await open(world, stateDir, sealer);
  const saved = await salvage(`${stateDir}/${aside}`, database);
  const sentence =
    `the state in ${stateDir}/${fileName} was damaged; it lies in ${aside} now, ` +
    `and a new one was begun with what could still be read (records: ${saved})`;
  await database.write((session) =>
    quarantine(session, { what: 'database', name: fileName, at, sentence }, { file: aside }),
  );
  return database;
}

async function open(world: World, stateDir: string, sealer: Sealer): Promise<SqliteDatabase> {
  const path = `${stateDir}/${fileName}`;
  const isSuspect = await lookClosely(world, path);
  if ((await world.files.look(path)) === undefined) await createPrivateFile(world, stateDir, fileName);
  const database = new SqliteDatabase(path, world.clock, () => leaveMark(world, stateDir));
  try {
    if (isSuspect) await quickCheck(database);
    await database.write((session) => prepareSchema(session, sealer, path));
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
  if (isSuspect) await removeMark(world, stateDir);
  return database;
}

/** A log that was not taken in means that somebody works on the file, or was killed at it. */
async function lookClosely(world: World, path: string): Promise<boolean> {
  const log = await world.files.look(`${path}-wal`);
  const mark = await world.files.look(`${path}.suspect`);
  return (log !== undefined && log.size > 0) || mark !== undefined;
}

async function quickCheck(database: SqliteDatabase): Promise<void> {
  const [row] = await database.read('PRAGMA quick_check(1)');
  if (row?.['quick_check'] !== 'ok') throw new Fault('state-broken', `${database.where} did not pass its check`);
}

async function inDirectory(world: World, path: string, work: (directory: Directory) => Promise<void>): Promise<void> {
  const directory = await world.files.openDirectory(path);
  try {
    await work(directory);
  } finally {
    await directory.close();
  }
}

/** If it cannot be left the damage is met again. */
async function leaveMark(world: World, stateDir: string): Promise<void> {
  try {
    await createPrivateFile(world, stateDir, suspectMark);
  } catch {
    // Whoever met the damage is told of it in any case.
  }
}

const removeMark = (world: World, stateDir: string) =>
  inDirectory(world, stateDir, async (directory) => {
    if ((await directory.look(suspectMark)) !== undefined) await directory.remove(suspectMark);
  });

const moveAside = (world: World, stateDir: string, aside: string) =>
  inDirectory(world, stateDir, async (directory) => {
    for (const suffix of companions) {
      const there = await directory.look(`${fileName}${suffix}`);
      if (there !== undefined) await directory.rename(`${fileName}${suffix}`, `${aside}${suffix}`);
    }
    await directory.sync();
  });
