import { basename, dirname } from 'node:path';
import { errnoHint, errnoWords, needsPerson } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import type { Directory } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';

type Kept = Secret<'access_token' | 'client_secret'>;
const wordFor = (kind: Kept['kind']): string => (kind === 'access_token' ? 'token' : 'secret');

/** A token, or the secret of a client, into a file that only we can read: whole or not at all, never through a link. Throws `target-refused`, `target-failed`. */
export async function writeTokenFile(world: World, path: string, token: Kept): Promise<void> {
  await inDirectoryOf(world, path, wordFor(token.kind), (directory) =>
    replaceFile(directory, basename(path), {
      bytes: Buffer.from(`${token.reveal()}\n`),
      temporary: temporaryFor(path, world),
      mode: 0o600,
      keeps: 'durable',
    }),
  );
}

/** Finds out whether it could be written there, before it is made and logged; throws what `writeTokenFile` would. */
export async function tryTokenPlace(world: World, path: string, kind: Kept['kind']): Promise<void> {
  await inDirectoryOf(world, path, wordFor(kind), async (directory) => {
    const probe = temporaryFor(path, world);
    await (await directory.createExclusive(probe, 0o600)).close();
    await directory.remove(probe);
  });
}

const temporaryFor = (path: string, { random }: World): string => `.${basename(path)}.${random.id()}`;

async function inDirectoryOf(
  { files }: World,
  path: string,
  what: string,
  work: (directory: Directory) => Promise<void>,
): Promise<void> {
  try {
    const directory = await files.openDirectory(dirname(path));
    try {
      const before = await directory.look(basename(path));
      if (before !== undefined && before.type !== 'file') {
        throw new Fault('target-refused', `the ${what} was not written to ${path}: it is a ${before.type}`);
      }
      await work(directory);
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const code = needsPerson(thrown) ? 'target-refused' : 'target-failed';
    throw new Fault(code, `the ${what} could not be written to ${path}: ${errnoWords(thrown)}`, {
      hint: errnoHint(thrown, dirname(path)),
      cause: thrown,
    });
  }
}
