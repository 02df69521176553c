import { createPublicKey, type KeyObject } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { readSecret } from '../config/secret-source.ts';
import { errnoHint, errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import { keyPairOf, makeKeyPair, readPrivatePem } from '../mint/key-pair.ts';
import { Secret } from '../token/secret.ts';
import type { Directory } from '../world/files.ts';
import { createFile, replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { localKnob } from './local-issuer-settings.ts';
import type { LocalProvider } from './settings.ts';

export interface LocalKey {
  readonly pem: Secret<'private_key'>;
  readonly remarks: readonly string[];
}

const largestPem = 64 * 1024;

/**
 * The private key of a local issuer, made with its public half where there is none, as HTCondor's own does. Throws Fault
 * `secret-unreadable` for one that everybody can read, `signing-key-unusable` for one of another algorithm, and `config-unwritable`.
 */
export async function prepareLocalKey(world: World, provider: LocalProvider): Promise<LocalKey> {
  const { privateKey: path } = provider;
  const isMissing = (await world.files.look(path)) === undefined;
  if (isMissing) await makeKey(world, provider);
  const pem = await readSecret(world, { kind: 'file', path }, 'private_key');
  const key = readPrivatePem(pem.reveal());
  refuseOtherAlgorithm(provider, key);
  const remarks = [await groupRemark(world, path), await bringPublicKey(world, provider, key, isMissing)];
  return { pem, remarks: remarks.filter((remark) => remark !== undefined) };
}

function refuseOtherAlgorithm(provider: LocalProvider, key: KeyObject): void {
  const { algorithm } = keyPairOf(key);
  if (algorithm === provider.algorithm) return;
  throw new Fault(
    'signing-key-unusable',
    `the private key ${provider.privateKey} signs with ${algorithm}, and ${localKnob(provider, 'PRIVATE_KEY_ALGORITHM')} is ${provider.algorithm}`,
    { hint: `set it to ${algorithm}, or name a key of the other kind with LOCAL_CREDMON_PRIVATE_KEY` },
  );
}

async function groupRemark(world: World, path: string): Promise<string | undefined> {
  const mode = (await world.files.facts(path))?.mode ?? 0;
  return (mode & 0o070) === 0 ? undefined : `the private key ${path} is open to its group: whoever is in it can sign`;
}

/**
 * The public half first: what was broken off is a private key that is still missing, and begins anew. Of two that begin at once the
 * private key of the first holds.
 */
async function makeKey(world: World, provider: LocalProvider): Promise<void> {
  if (provider.publicKey === provider.privateKey) {
    const [one, other] = [localKnob(provider, 'PRIVATE_KEY'), localKnob(provider, 'PUBLIC_KEY')];
    throw new Fault('config-invalid', `${one} and ${other} both name ${provider.privateKey}`, {
      hint: 'give each a file of its own: one is for nobody else to read, the other for everybody',
    });
  }
  const { privateKey } = await makeKeyPair(provider.algorithm);
  await writePublicKey(world, provider.publicKey, privateKey);
  const type = provider.algorithm === 'ES256' ? 'sec1' : 'pkcs1';
  const pem = new Secret('private_key', String(privateKey.export({ type, format: 'pem' })));
  await inDirectoryOf(world, provider.privateKey, async (directory, name) => {
    try {
      await createFile(directory, name, Buffer.from(pem.reveal()));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
  });
}

/** What is there already is the admin's, but for a stale one beside a private key that was only made now. */
async function bringPublicKey(
  world: World,
  { publicKey: path, privateKey }: LocalProvider,
  key: KeyObject,
  isNew: boolean,
): Promise<string | undefined> {
  let found: string | undefined;
  try {
    found = await world.files.readText(path, largestPem);
  } catch (thrown) {
    return `the public key ${path} could not be read: ${errnoWords(thrown)}`;
  }
  if (found !== undefined && isOtherHalf(found, key)) return undefined;
  if (found !== undefined && !isNew) return `the public key ${path} is not the other half of ${privateKey}`;
  await writePublicKey(world, path, key);
  return undefined;
}

function isOtherHalf(text: string, key: KeyObject): boolean {
  try {
    return createPublicKey(text).equals(createPublicKey(key));
  } catch {
    return false;
  }
}

const publicPem = (key: KeyObject): string => String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));

const writePublicKey = (world: World, path: string, key: KeyObject): Promise<void> =>
  inDirectoryOf(world, path, (directory, name) =>
    replaceFile(directory, name, {
      bytes: Buffer.from(publicPem(key)),
      temporary: `.${name}.${world.random.id()}`,
      mode: 0o644,
      keeps: 'durable',
    }),
  );

async function inDirectoryOf(
  world: World,
  path: string,
  work: (directory: Directory, name: string) => Promise<void>,
): Promise<void> {
  try {
    const directory = await world.files.openDirectory(dirname(path));
    try {
      await work(directory, basename(path));
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    throw new Fault('config-unwritable', `the key ${path} could not be made: ${errnoWords(thrown)}`, {
      hint: errnoHint(thrown, dirname(path)),
      cause: thrown,
    });
  }
}
