import { argon2Sync } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import { millis } from '../token/time.ts';
import type { Directory, FileFacts } from '../world/files.ts';
import { createFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { keySealer, ringSealer } from './envelope.ts';
import type { Sealer } from './sealer.ts';

export interface SealKeyOptions {
  /** Never below the state directory: a stolen copy of that must not hold its own key. */
  readonly keyFile: string;
  /** Of a systemd credential that is used instead of the key file, where there is one; `tokeep.seal-key`, unless told. */
  readonly credentialName?: string;
  /** The key is derived from this, and only its salt lies in the file; a file that holds a key itself is refused then. */
  readonly passphrase?: Secret<'password'>;
}

/** First word of a key file: the rest of the line is the key itself, or the salt for a passphrase, in base64. */
const kinds = { key: 'tokeep-seal-key-1', salt: 'tokeep-seal-salt-1' } as const;
type Kind = keyof typeof kinds;
export interface KeyContent {
  readonly kind: Kind;
  readonly bytes: Buffer;
}

export const keyBytes = 32;
const largestFile = 4096;
export const leastPassphrase = 12;
/** For a file that another process has just created and is still writing. */
const patience = { rounds: 50, wait: millis(20) };

/** Where a change of the key keeps the key to come, and the one that was (seal-rotation.ts). */
export const besideKeyFile = (keyFile: string) => ({ next: `${keyFile}.next`, old: `${keyFile}.old` });

/**
 * The host's sealer: from a systemd credential, else the key file, which is made at the first run. While the key is being
 * changed it opens with both keys, so that a change that was broken off stops nothing.
 */
export async function openSealer(world: World, options: SealKeyOptions): Promise<Sealer> {
  const fromCredential = await readCredential(world, options.credentialName);
  if (fromCredential !== undefined) return keySealer(keyFrom(fromCredential, options));
  const { next, old } = besideKeyFile(options.keyFile);
  const beside = [await readKeyFile(world, next), await readKeyFile(world, old)].filter((found) => found !== undefined);
  return ringSealer(
    await openSealingKey(world, options),
    beside.map((found) => keyFrom(found, options)),
  );
}

/** The key that seals: of the systemd credential, else of the key file, which is made if it is not there. */
export async function openSealingKey(world: World, options: SealKeyOptions): Promise<Buffer> {
  const fromCredential = await readCredential(world, options.credentialName);
  if (fromCredential !== undefined) return keyFrom(fromCredential, options);
  const found = (await readKeyFile(world, options.keyFile)) ?? (await createOrAwait(world, options));
  if (found.kind === 'key' && options.passphrase !== undefined) {
    throw unusable(
      options.keyFile,
      'it holds a key that needs no passphrase, and the configuration names one',
      'seal with the passphrase from now on: tokeep seal rotate',
    );
  }
  return keyFrom(found, options);
}

const keyFileText = ({ kind, bytes }: KeyContent): string => `${kinds[kind]} ${bytes.toString('base64')}\n`;

function parseKeyFile(text: string): KeyContent | undefined {
  const [word, base64, ...rest] = text.trim().split(' ');
  const kind = (Object.keys(kinds) as Kind[]).find((candidate) => kinds[candidate] === word);
  const bytes = Buffer.from(base64 ?? '', 'base64');
  return kind === undefined || rest.length > 0 || bytes.length !== keyBytes ? undefined : { kind, bytes };
}

function unusable(path: string, found: string, hint: string): Fault {
  return new Fault('seal-key-unusable', `the sealing key ${path} is not used: ${found}`, { hint });
}

export async function readCredential(world: World, name = 'tokeep.seal-key'): Promise<KeyContent | undefined> {
  const directory = world.env['CREDENTIALS_DIRECTORY'];
  if (directory === undefined) return undefined;
  const path = `${directory}/${name}`;
  const text = await world.files.readText(path, largestFile);
  if (text === undefined) return undefined;
  const content = parseKeyFile(text);
  if (content === undefined) throw unusable(path, 'it is not a sealing key', 'give the unit the right credential');
  return content;
}

function judge(world: World, path: string, facts: FileFacts): void {
  if (facts.type !== 'file') throw unusable(path, `it is a ${facts.type}`, `ls -l ${path}`);
  if (facts.owner !== world.user.uid && facts.owner !== 0) {
    // Root takes no key away from a service that needs it.
    const hint =
      world.user.uid === 0
        ? `work on this state as the one the key belongs to: sudo -u '#${facts.owner}' tokeep …`
        : `chown ${world.user.uid} ${path}`;
    throw unusable(path, `it belongs to user ${facts.owner}`, hint);
  }
  if ((facts.mode & 0o077) !== 0) {
    const mode = `0${facts.mode.toString(8)}`;
    throw unusable(path, `others can read or write it (mode ${mode}, expected 0600)`, `chmod 0600 ${path}`);
  }
}

/** Undefined when there is none. Owner and mode are those of the file that was opened. */
export async function readKeyFile(world: World, path: string): Promise<KeyContent | undefined> {
  for (let round = 1; ; round += 1) {
    const text = await readPrivate(world, path);
    if (text === undefined) return undefined;
    const content = parseKeyFile(text);
    if (content !== undefined) return content;
    if (text.endsWith('\n') || round === patience.rounds) {
      throw unusable(
        path,
        'it is not a sealing key',
        'restore it from a backup; without it the sealed secrets are lost',
      );
    }
    await world.clock.sleep(patience.wait);
  }
}

async function readPrivate(world: World, path: string): Promise<string | undefined> {
  try {
    if ((await world.files.look(path)) === undefined) return undefined;
    await using directory = disposable(await world.files.openDirectory(dirname(path)));
    const file = await directory.open(basename(path), 'read');
    try {
      judge(world, path, await file.facts());
      return (await file.read(largestFile))?.toString('utf8') ?? '\n';
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw unusable(path, `it could not be read (${code})`, `ls -l ${path}`);
  }
}

const disposable = (directory: Directory) =>
  Object.assign(directory, { [Symbol.asyncDispose]: () => directory.close() });

async function createOrAwait(world: World, { keyFile, passphrase }: SealKeyOptions): Promise<KeyContent> {
  const content: KeyContent = { kind: passphrase === undefined ? 'key' : 'salt', bytes: world.random.bytes(keyBytes) };
  if (await createKeyFile(world, keyFile, content)) return content;
  const made = await readKeyFile(world, keyFile);
  if (made === undefined) throw unusable(keyFile, 'it was removed while it was read', 'try again');
  return made;
}

/** Who rotates the key needs to write beside it; the service's own user may not as a rule (docs/systemd.md, "A new sealing key"). */
const makeRoom = (code: string | undefined, directory: string): string =>
  code === 'ENOENT' ? `install -d -m 0700 ${directory}` : `whoever runs this has to be able to write to ${directory}`;

/** Exclusive, 0600, synced with its directory. False if somebody else made it first. */
export async function createKeyFile(world: World, path: string, content: KeyContent): Promise<boolean> {
  try {
    await world.files.makeDirectories(dirname(path), 0o700);
    await using directory = disposable(await world.files.openDirectory(dirname(path)));
    await createFile(directory, basename(path), Buffer.from(keyFileText(content)));
    return true;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'EEXIST') return false;
    throw unusable(path, `it could not be made (${code})`, makeRoom(code, dirname(path)));
  }
}

export function keyFrom({ kind, bytes }: KeyContent, { passphrase, keyFile }: SealKeyOptions): Buffer {
  if (kind === 'key') return bytes;
  if (passphrase === undefined) {
    throw unusable(
      keyFile,
      'it needs a passphrase, and the configuration names none',
      'seal: { passphrase: { file: PATH } }',
    );
  }
  if (passphrase.reveal().length < leastPassphrase) {
    throw unusable(
      keyFile,
      `a passphrase of less than ${leastPassphrase} characters keeps nobody out`,
      'take a longer one',
    );
  }
  return keyFromPassphrase(passphrase, bytes);
}

/** argon2id with 64 MiB and three passes (RFC 9106, second recommended choice, with one lane). */
export function keyFromPassphrase(passphrase: Secret<'password'>, salt: Buffer): Buffer {
  return argon2Sync('argon2id', {
    message: passphrase.reveal(),
    nonce: salt,
    parallelism: 1,
    tagLength: keyBytes,
    memory: 65_536,
    passes: 3,
  });
}
