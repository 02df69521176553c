import { basename, dirname } from 'node:path';
import { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { Database } from './database.ts';
import { keySealer, ringSealer } from './envelope.ts';
import { openRecords, type StoreOptions } from './open-store.ts';
import type { Locks } from './record-store.ts';
import { resealAccounts, resealTokens, verifyAccounts } from './reseal.ts';
import { type Resealable, resealAll } from './resealable.ts';
import {
  besideKeyFile,
  createKeyFile,
  type KeyContent,
  keyBytes,
  keyFrom,
  readCredential,
  readKeyFile,
} from './seal-key.ts';

export interface RotationOptions extends Omit<StoreOptions, 'sealer'> {
  readonly keyFile: string;
  readonly credentialName?: string;
  readonly passphrase?: Secret<'password'>;
  /** The directories of the spool: a successor that still waits there is sealed with the old key. */
  readonly spool: readonly string[];
  /** What else is sealed with this key. */
  readonly also: readonly Resealable[];
}

export interface RotationReport {
  readonly from: string;
  readonly to: string;
  /** Records whose secrets were sealed anew. */
  readonly resealed: number;
  /** The names of those of `also` that held anything to be sealed anew. */
  readonly alsoResealed: readonly string[];
}

const lockPatience = seconds(60);

interface Keys {
  readonly old: KeyContent;
  readonly next: KeyContent;
}

/**
 * Changes the sealing key: makes a new one beside the old, seals every secret anew, reads them back, and only then lets the old
 * one go. Killed at any point, the state opens with what lies there ({@link openSealer} takes both), and doing it again goes on
 * where it stopped. Throws `state-second-run` while `tokeep run` is working, `state-busy` while a renewal is.
 */
export async function rotateSealingKey(world: World, options: RotationOptions): Promise<RotationReport> {
  if ((await readCredential(world, options.credentialName)) !== undefined) {
    throw new Fault('usage', 'the sealing key comes from a systemd credential, and tokeep cannot replace it there', {
      hint: 'stop the unit, move the key into a key file, rotate it, and make a new credential of it',
    });
  }
  const keys = await prepareKeys(world, options);
  const [oldKey, nextKey] = [keyFrom(keys.old, options), keyFrom(keys.next, options)];
  const sealer = ringSealer(nextKey, [oldKey]);
  const keyrings = { ring: sealer, alone: keySealer(nextKey) };
  const { keyId: from } = keySealer(oldKey);
  // What opens with neither key stops us before anything is changed.
  for (const one of options.also) await one.check(sealer);
  const { database, locks } = await openRecords(world, { ...options, sealer });
  try {
    await using _run = await locks.run();
    await refuseWaitingSuccessors(world, options.spool);
    let resealed = await resealTokens(database, sealer);
    const alsoResealed = new Set<string>();
    resealed += await withAllAccounts(database, locks, async () => {
      await refuseWaitingSuccessors(world, options.spool);
      const count = await database.write((session) => resealAccounts(session, sealer));
      for (const name of await resealAll(options.also, keyrings)) alsoResealed.add(name);
      await readBack(database, nextKey);
      await switchKeyFile(world, options.keyFile, keys);
      await database.write((session) =>
        session.change(`UPDATE meta SET value = $1 WHERE key = 'seal-key'`, [sealer.keyId]),
      );
      await readBack(database, nextKey);
      return count;
    });
    // Tokens that somebody settled meanwhile; after the switch nobody seals with the old key any more.
    resealed += await resealTokens(database, sealer);
    // So too for the others, where one who has read the old key file may still be about to write: what comes after `leave` is refused.
    for (const one of options.also) await one.leave(from);
    for (const name of await resealAll(options.also, keyrings)) alsoResealed.add(name);
    await removeKey(world, besideKeyFile(options.keyFile).old);
    return { from, to: sealer.keyId, resealed, alsoResealed: [...alsoResealed] };
  } finally {
    await locks.close();
    await database.close();
  }
}

/** The two keys, whatever a change that was broken off has left: `.next` before the switch, `.old` after it. */
async function prepareKeys(world: World, { keyFile, passphrase }: RotationOptions): Promise<Keys> {
  const beside = besideKeyFile(keyFile);
  const current = await readKeyFile(world, keyFile);
  if (current === undefined) {
    throw new Fault('seal-key-unusable', `there is no sealing key ${keyFile} that could be replaced`, {
      hint: 'tokeep makes one at its first run',
    });
  }
  const next = await readKeyFile(world, beside.next);
  if (next !== undefined) return { old: current, next };
  const old = await readKeyFile(world, beside.old);
  if (old !== undefined) return { old, next: current };
  const kind = passphrase === undefined ? current.kind : 'salt';
  await createKeyFile(world, beside.next, { kind, bytes: world.random.bytes(keyBytes) });
  const made = await readKeyFile(world, beside.next);
  if (made === undefined) throw new Fault('seal-key-unusable', `${beside.next} was removed while it was made`);
  return { old: current, next: made };
}

/** The new key takes the old one's place in one rename; there is no moment without a key file. */
async function switchKeyFile(world: World, keyFile: string, keys: Keys): Promise<void> {
  const beside = besideKeyFile(keyFile);
  await createKeyFile(world, beside.old, keys.old);
  if ((await readKeyFile(world, beside.next)) === undefined) return;
  const directory = await world.files.openDirectory(dirname(keyFile));
  try {
    await directory.rename(basename(beside.next), basename(keyFile));
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function removeKey(world: World, path: string): Promise<void> {
  const directory = await world.files.openDirectory(dirname(path));
  try {
    await directory.remove(basename(path));
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readBack(database: Database, key: Buffer): Promise<void> {
  verifyAccounts(await database.read('SELECT * FROM account'), keySealer(key));
}

/** Nobody is in the middle of spending a credential while its secrets are sealed anew. */
async function withAllAccounts<T>(database: Database, locks: Locks, work: () => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(lockPatience);
  await using held = new AsyncDisposableStack();
  for (const row of await database.read('SELECT name FROM account ORDER BY name')) {
    const name = String(row['name']);
    try {
      held.use(await locks.account(name, signal));
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown;
      throw new Fault(
        'state-busy',
        `account ${name} is being renewed, and the sealing key is changed between renewals`,
        {
          hint: 'try again in a minute',
        },
      );
    }
  }
  return await work();
}

async function refuseWaitingSuccessors(world: World, places: readonly string[]): Promise<void> {
  for (const path of places) {
    if ((await world.files.look(path)) === undefined) continue;
    const directory = await world.files.openDirectory(path);
    try {
      const waiting = (await directory.list()).find((name) => name.endsWith('.successor'));
      if (waiting === undefined) continue;
      throw new Fault('state-busy', `${path}/${waiting} holds a new credential that is not in the state yet`, {
        hint: 'run `tokeep renew` first: it takes it in',
      });
    } finally {
      await directory.close();
    }
  }
}
