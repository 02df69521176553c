import { basename, dirname } from 'node:path';
import { Fault } from '../fault/fault.ts';
import { millis } from '../token/time.ts';
import type { Directory } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';

const largestFile = 1024 * 1024;
/** For another process that is adding a line; who takes longer was killed while it did. */
const patience = { rounds: 50, wait: millis(20) };

/** Beside the key, since several states may share one: directories of issuers that seal with it, one a line. */
export const notedIssuersFile = (keyFile: string): string => `${keyFile}.issuers`;

/** Directories of issuers elsewhere than in the state that seal with this key. Throws Fault `seal-key-unusable`. */
export async function notedIssuers(world: World, keyFile: string): Promise<readonly string[]> {
  const file = notedIssuersFile(keyFile);
  const text = await world.files.readText(file, largestFile).catch((thrown: NodeJS.ErrnoException) => {
    throw new Fault('seal-key-unusable', `${file} could not be read (${thrown.code ?? 'unknown'})`, { cause: thrown });
  });
  return [...new Set((text ?? '').split('\n').filter((line) => line !== ''))];
}

/**
 * Notes that the issuer in this directory seals with this key, so that a change of the key takes it along; on disk when it resolves, and
 * once, however often it is noted. Throws Fault `seal-key-unusable` where that cannot be written.
 */
export async function noteIssuer(world: World, keyFile: string, directory: string): Promise<void> {
  if (directory.includes('\n'))
    throw new Fault('usage', 'a directory with a line break in its name is none for an issuer');
  if ((await notedIssuers(world, keyFile)).includes(directory)) return;
  const file = notedIssuersFile(keyFile);
  try {
    await world.files.makeDirectories(dirname(file), 0o700);
    const files = await world.files.openDirectory(dirname(file));
    try {
      await addLine(world, files, keyFile, directory);
    } finally {
      await files.close();
    }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    const what = `the issuer in ${directory} seals with ${keyFile}, which could not be noted in ${file} (${code})`;
    throw new Fault('seal-key-unusable', what, {
      hint: `add that line to it, for user ${world.user.uid} to read; else \`tokeep seal rotate\` does not know of the issuer`,
      cause: thrown,
    });
  }
}

/** The temporary file keeps others out, so that of two that add a line both lines stay. */
async function addLine(world: World, files: Directory, keyFile: string, directory: string): Promise<void> {
  const name = basename(notedIssuersFile(keyFile));
  const temporary = `${name}.new`;
  for (let round = 1; ; round += 1) {
    const before = await notedIssuers(world, keyFile);
    if (before.includes(directory)) return;
    const check = async () => {
      const now = await notedIssuers(world, keyFile);
      if (now.length !== before.length) throw Object.assign(new Error('another line was added'), { code: 'EEXIST' });
    };
    const bytes = Buffer.from([...before, directory].map((line) => `${line}\n`).join(''));
    try {
      await replaceFile(files, name, { bytes, temporary, mode: 0o600, check, keeps: 'durable' });
      return;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      if (round % patience.rounds === 0) await files.remove(temporary).catch(() => {});
      else await world.clock.sleep(patience.wait);
    }
  }
}
