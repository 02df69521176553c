import { createHash } from 'node:crypto';
import { type Epoch, minutes } from '../token/time.ts';
import type { FileFacts } from '../world/files.ts';
import type { World } from '../world/world.ts';
import type { DeliveredToken } from './deliverer.ts';
import { inDirectory } from './directory-pool.ts';
import { fileFault } from './file-fault.ts';
import { refuseStrange } from './present-file.ts';
import { ownersOf, splitPath, type TokenFile } from './token-file.ts';

const largestToken = 64 * 1024;

/** A delivery takes no longer than this from its last change of the file to its note in the record. */
const longestDelivery = minutes(1);

/**
 * Does the token of this fingerprint lie in the file? Looks at the content, unless the system has not touched the file since
 * it was delivered: one look instead of five steps, for thousands of files every few minutes. `tokenIn` finds the token in the
 * content, where that is more than the token and line ends.
 */
export async function checkTokenFile(
  world: World,
  path: string,
  { fingerprint, at }: DeliveredToken,
  tokenIn: (content: Buffer) => Uint8Array | string = withoutLineEnds,
): Promise<'there' | 'gone' | 'unknown'> {
  const { directory, name } = splitPath('written', path);
  try {
    const present = await world.files.look(path);
    if (present === undefined) return 'gone';
    if (at !== null && isUntouched(present, at)) return 'there';
    const held = await world.files.openDirectory(directory);
    try {
      const content = await readPlain(held, name);
      if (content === undefined) return 'gone';
      const found = createHash('sha256').update(tokenIn(content)).digest('hex');
      return found === fingerprint ? 'there' : 'gone';
    } finally {
      await held.close();
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' ? 'gone' : 'unknown';
  }
}

/** A file that replaces ours has a later time of change, whatever it says of its content's age. */
function isUntouched({ type, changedAt }: FileFacts, deliveredAt: Epoch): boolean {
  return type === 'file' && changedAt <= deliveredAt && changedAt > deliveredAt - longestDelivery;
}

/** By hand: a pattern that ends in `\n+$` takes seconds for line ends without end, and who owns the file can put them there. */
function withoutLineEnds(content: Buffer): Buffer {
  let end = content.length;
  while (content[end - 1] === 0x0a) end -= 1;
  return content.subarray(0, end);
}

async function readPlain(
  held: Awaited<ReturnType<World['files']['openDirectory']>>,
  name: string,
): Promise<Buffer | undefined> {
  const present = await held.look(name);
  if (present?.type !== 'file') return undefined;
  const file = await held.open(name, 'read');
  try {
    return await file.read(largestToken);
  } finally {
    await file.close();
  }
}

/** Deletes the file, if it is a plain one of ours or of its owner; a file that is gone is fine. */
export async function removeTokenFile(world: World, file: TokenFile): Promise<void> {
  const { directory, name } = splitPath('removed', file.path);
  const owners = ownersOf(world, file);
  try {
    if ((await world.files.facts(directory)) === undefined) return;
    await inDirectory(world, directory, owners, async (shared) => {
      const present = await shared.directory.look(name);
      if (present === undefined) return;
      refuseStrange('removed', file.path, present, file.existing === 'keep' ? [present.owner] : owners);
      await shared.directory.remove(name);
      await shared.directory.sync();
    });
  } catch (thrown) {
    throw fileFault(thrown, `token not removed from ${file.path}`);
  }
}
