import { createHash, type KeyObject } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { Sealer } from '../store/sealer.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { Directory } from '../world/files.ts';
import { createFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { type KeyPair, keyPairOf, privatePem, readPrivatePem, thumbprint } from './key-pair.ts';
import type { KeyRecord } from './key-table.ts';
import type { KeyHome, SigningKey } from './signing-key.ts';

const largestPem = 64 * 1024;

export interface KeyPlace {
  readonly world: World;
  readonly directory: string;
  readonly url: IssuerUrl;
  /** Asked only where a key is sealed. */
  readonly sealer: () => Promise<Sealer>;
}

/** What a sealed key is bound to: it opens for this issuer and this kid only. */
export const bindingOf = (url: IssuerUrl, kid: string) => ({ record: `key ${kid} of issuer ${url}`, generation: 1 });

/** Puts the private half where it belongs; a file is on disk when this resolves. */
export async function storePrivateKey(
  place: KeyPlace,
  pair: KeyPair,
  where: KeyHome['kind'],
): Promise<{ readonly home: KeyHome; readonly sealed: string | undefined }> {
  const { kid } = pair.jwk;
  const pem = privatePem(pair.privateKey);
  if (where === 'sealed') {
    return { home: { kind: 'sealed' }, sealed: (await place.sealer()).seal(pem, bindingOf(place.url, kid)) };
  }
  const path = `${keysDirectory(place)}/${fileNameOf(kid)}.pem`;
  await place.world.files.makeDirectories(keysDirectory(place), 0o700);
  try {
    await inKeys(place, (keys) => createFile(keys, `${fileNameOf(kid)}.pem`, Buffer.from(pem.reveal())));
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    // Of an import that was broken off before the key was recorded.
    const isThere = code === 'EEXIST';
    if (isThere && (await isKept(place, pair))) return { home: { kind: 'file', path }, sealed: undefined };
    throw new Fault('state-write-failed', `the private key could not be written to ${path} (${code})`, {
      cause: thrown,
      ...(isThere
        ? { hint: 'no key of this issuer is recorded with that name: move the file away, and try again' }
        : {}),
    });
  }
  return { home: { kind: 'file', path }, sealed: undefined };
}

/** Is this key in its file already? Then the file is on disk when this resolves. */
async function isKept(place: KeyPlace, { jwk }: KeyPair): Promise<boolean> {
  try {
    const kept = keyPairOf(readPrivatePem(await readKeyFile(place, jwk)));
    if (thumbprint(kept.jwk) !== thumbprint(jwk)) return false;
  } catch {
    return false;
  }
  await inKeys(place, async (keys) => {
    const file = await keys.open(`${fileNameOf(jwk.kid)}.pem`, 'read');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await keys.sync();
  });
  return true;
}

/**
 * The private half of a key. Throws Fault `seal-wrong-key`, `seal-damaged`, and `signing-key-unusable` for a file that others can read,
 * that is not ours, or that holds another key than the one that is published under this kid.
 */
export async function loadPrivateKey(place: KeyPlace, { key, sealed }: KeyRecord): Promise<KeyObject> {
  const pem = key.home.kind === 'file' ? await readKeyFile(place, key) : await unseal(place, key, sealed);
  const privateKey = readPrivatePem(pem);
  if (thumbprint(keyPairOf(privateKey).jwk) !== thumbprint(key.jwk)) {
    throw new Fault('signing-key-unusable', `the private key of ${key.kid} is not the other half of its public key`, {
      hint: key.home.kind === 'file' ? `put the right key into ${key.home.path}` : 'import the right key again',
    });
  }
  return privateKey;
}

/** What stays of a key that was removed is its record. A file that is gone already, or its directory, is no trouble. */
export async function removeKeyFile(place: KeyPlace, key: SigningKey): Promise<void> {
  const name = `${fileNameOf(key.kid)}.pem`;
  if (key.home.kind !== 'file') return;
  if ((await place.world.files.look(`${keysDirectory(place)}/${name}`)) === undefined) return;
  await inKeys(place, async (keys) => {
    if ((await keys.look(name)) === undefined) return;
    await keys.remove(name);
    await keys.sync();
  });
}

async function unseal({ url, sealer }: KeyPlace, key: SigningKey, sealed: string | undefined): Promise<string> {
  if (sealed === undefined) {
    throw new Fault('signing-key-unusable', `the private half of ${key.kid} is not in the database`);
  }
  return (await sealer()).open('private_key', sealed, bindingOf(url, key.kid)).reveal();
}

const keysDirectory = ({ directory }: KeyPlace): string => `${directory}/keys`;

async function inKeys<T>(place: KeyPlace, work: (keys: Directory) => Promise<T>): Promise<T> {
  const keys = await place.world.files.openDirectory(keysDirectory(place));
  try {
    return await work(keys);
  } finally {
    await keys.close();
  }
}

/** A kid of others may hold anything, and is then no name of a file. */
const fileNameOf = (kid: string): string =>
  /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(kid) ? kid : createHash('sha256').update(kid).digest('base64url');

async function readKeyFile(place: KeyPlace, { kid }: Pick<SigningKey, 'kid'>): Promise<string> {
  const path = `${keysDirectory(place)}/${fileNameOf(kid)}.pem`;
  try {
    return await inKeys(place, async (keys) => {
      const file = await keys.open(`${fileNameOf(kid)}.pem`, 'read');
      try {
        const facts = await file.facts();
        refuseOpenFile(path, facts, place.world.user.uid);
        const bytes = await file.read(largestPem);
        if (bytes === undefined) throw new Fault('signing-key-unusable', `${path} is too large for a key`);
        return bytes.toString('latin1');
      } finally {
        await file.close();
      }
    });
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'is not there' : code === 'ELOOP' ? 'is a link' : `could not be read (${code})`;
    throw new Fault('signing-key-unusable', `the private key ${path} ${found}`, { cause: thrown });
  }
}

function refuseOpenFile(path: string, facts: { type: string; mode: number; owner: number }, uid: number): void {
  if (facts.type !== 'file') throw new Fault('signing-key-unusable', `the private key ${path} is a ${facts.type}`);
  if (facts.owner !== uid) {
    throw new Fault(
      'signing-key-unusable',
      `the private key ${path} belongs to user ${facts.owner}, and we are ${uid}`,
      {
        hint: `chown ${uid} ${path}   # if it is known that nobody else has read it`,
      },
    );
  }
  if ((facts.mode & 0o077) === 0) return;
  const mode = facts.mode.toString(8).padStart(4, '0');
  throw new Fault('signing-key-unusable', `the private key ${path} is open to others (mode ${mode})`, {
    hint: `chmod 0600 ${path}   # and rotate the key, if others may have read it`,
  });
}
