import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { basename, dirname, join } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { FileFacts } from '../world/files.ts';
import type { World } from '../world/world.ts';

/** A key that a pool's daemons sign and check IDTOKENS with. */
export interface PoolKey {
  /** Its file name in SEC_PASSWORD_DIRECTORY, or `POOL`; stands in a token as `kid`. */
  readonly id: string;
  readonly key: KeyObject;
  /** Sentences about a key that is easier to guess than it should be. */
  readonly remarks: readonly string[];
}

export const poolKeyId = 'POOL';
/** HTCondor's SEC_PASSWORD_DIRECTORY. */
export const passwordDirectory = '/etc/condor/passwords.d';

export type PoolKeyPlace =
  | { readonly kind: 'file'; readonly path: string; readonly id: string }
  | { readonly kind: 'directory'; readonly path: string; readonly id: string }
  /** A credential that systemd has put beside us; it sees to who may read it. */
  | { readonly kind: 'credential'; readonly name: string; readonly id: string };

const largest = 64 * 1024;
/** HTCondor makes 64 bytes; with fewer than these a token is enough to try all keys at home. */
const fewest = 16;

/**
 * The key that a file's bytes stand for, as HTCondor derives it: the bytes are scrambled against chance looks, the key named POOL
 * counts twice, for tokens of old pools, and HKDF (RFC 5869) makes 32 bytes of it.
 */
export function poolKeyOf(bytes: Uint8Array, id: string): PoolKey {
  const scramble = [0xde, 0xad, 0xbe, 0xef];
  const plain = Buffer.from(bytes.map((byte, index) => byte ^ (scramble[index % scramble.length] ?? 0)));
  const input = id === poolKeyId ? Buffer.concat([plain, plain]) : plain;
  const derived = Buffer.from(hkdfSync('sha256', input, 'htcondor', 'master jwt', 32));
  const key = createSecretKey(derived);
  for (const secret of [plain, input, derived]) secret.fill(0);
  const short = bytes.length < fewest ? [`the key has ${bytes.length} bytes only, which can be guessed`] : [];
  return { id, key, remarks: short };
}

/**
 * Reads a key where HTCondor keeps it. Throws `signing-key-missing`, and `signing-key-unusable` where others may read or change it:
 * whoever has it can be anybody in the pool.
 */
export async function readPoolKey(world: World, place: PoolKeyPlace): Promise<PoolKey> {
  if (unfitKeyId(place.id)) {
    throw new Fault('signing-key-unusable', `${JSON.stringify(place.id)} is not the name of a signing key of HTCondor`);
  }
  const path = pathOf(world, place);
  const file = `the signing key ${path}`;
  const bytes = await attempt(path, async () => {
    const directory = await world.files.openDirectory(dirname(path), 'pass');
    try {
      const opened = await directory.open(basename(path), 'read');
      try {
        if (place.kind !== 'credential') refuseOpen(await opened.facts(), path, world.user.uid);
        return await opened.read(largest);
      } finally {
        await opened.close();
      }
    } finally {
      await directory.close();
    }
  });
  if (bytes === undefined) throw new Fault('signing-key-unusable', `${file} has more than ${largest} bytes`);
  if (bytes.length === 0) throw new Fault('signing-key-unusable', `${file} is empty`);
  const key = poolKeyOf(bytes, place.id);
  bytes.fill(0);
  return key;
}

/** It is the name of a file. */
const unfitKeyId = (id: string): boolean => !/^[A-Za-z0-9_+=@-][A-Za-z0-9_.+=@-]*$/.test(id);

function pathOf(world: World, place: PoolKeyPlace): string {
  if (place.kind === 'file') return place.path;
  if (place.kind === 'directory') return join(place.path, place.id);
  const directory = world.env['CREDENTIALS_DIRECTORY'];
  if (directory === undefined || place.name.includes('/') || place.name.startsWith('.')) {
    throw new Fault('signing-key-missing', `there is no systemd credential ${place.name} for this process`, {
      hint: `start it by its unit, with LoadCredential=${place.name}:PATH`,
    });
  }
  return join(directory, place.name);
}

/** As HTCondor does: it is root's (or our own), and nobody else's. */
function refuseOpen(facts: FileFacts, path: string, uid: number): void {
  if (facts.type !== 'file') throw new Fault('signing-key-unusable', `the signing key ${path} is a ${facts.type}`);
  if (facts.owner !== 0 && facts.owner !== uid) {
    throw new Fault('signing-key-unusable', `the signing key ${path} belongs to somebody else (uid ${facts.owner})`, {
      hint: `chown root ${path}`,
    });
  }
  if ((facts.mode & 0o077) !== 0) {
    const mode = facts.mode.toString(8).padStart(4, '0');
    throw new Fault('signing-key-unusable', `the signing key ${path} is open to others (mode ${mode})`, {
      hint: `chmod 0600 ${path}   # and make a new key, if somebody may have read this one`,
    });
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (thrown instanceof Fault || code === undefined) throw thrown;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new Fault('signing-key-missing', `there is no signing key ${path}`, {
        hint: 'the collector makes POOL at its first start; others: condor_store_cred add -f FILE, as root',
      });
    }
    if (code === 'ELOOP') throw new Fault('signing-key-unusable', `the signing key ${path} is a link`);
    throw new Fault('signing-key-unusable', `the signing key ${path} could not be read (${code})`, {
      cause: thrown,
      ...(code === 'EACCES' ? { hint: 'as root, or give it to the service: LoadCredential= in its unit' } : {}),
    });
  }
}
