import { basename, dirname } from 'node:path';
import { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';

/** A token, or the secret of a client, into a file that only we can read: whole or not at all, never through a link. Throws `target-refused`, `target-failed`. */
export async function writeTokenFile(
  world: World,
  path: string,
  token: Secret<'access_token' | 'client_secret'>,
): Promise<void> {
  const what = token.kind === 'access_token' ? 'token' : 'secret';
  try {
    const directory = await world.files.openDirectory(dirname(path));
    try {
      const before = await directory.look(basename(path));
      if (before !== undefined && before.type !== 'file') {
        throw new Fault('target-refused', `the ${what} was not written to ${path}: it is a ${before.type}`);
      }
      await replaceFile(directory, basename(path), {
        bytes: Buffer.from(`${token.reveal()}\n`),
        temporary: `.${basename(path)}.${world.random.id()}`,
        mode: 0o600,
        keeps: 'durable',
      });
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { code = 'unknown' } = thrown as NodeJS.ErrnoException;
    throw new Fault('target-failed', `the ${what} could not be written to ${path} (${code})`, {
      hint: `ls -ld ${dirname(path)}   # is it there, and may this user write there?`,
      cause: thrown,
    });
  }
}
