import type { Directory, FileFacts, OpenFile } from '../world/files.ts';
import { writeAll } from '../world/replace-file.ts';
import { refuseStrange } from './present-file.ts';

/** Owner and mode of a file; an owner or group that is absent is left as it is. */
export interface Looks {
  readonly owner?: number;
  readonly group?: number;
  readonly mode: number;
}

/** Larger than any token; what is larger was no token, and is not put back if overwriting fails. */
const largestKept = 64 * 1024;

/**
 * Writes into the existing file, for single files that are mounted by themselves and for files we may write but not replace.
 * A shorter token is padded with line ends up to the old length before the file is cut, so that in between a reader finds the
 * new token and white space, which every reader strips. If writing fails the old content is written back.
 * Without `looks` owner and mode stay as they are.
 */
export async function overwrite(
  directory: Directory,
  name: string,
  bytes: Buffer,
  owners: readonly number[],
  looks?: Looks,
): Promise<void> {
  const file = await directory.open(name, 'write');
  try {
    const facts = await file.facts();
    refuseStrange('written', `${directory.path}/${name}`, facts, owners);
    if (looks !== undefined) await dress(file, facts, looks);
    const old = await file.read(largestKept);
    const padding = Buffer.alloc(Math.max(0, (old?.length ?? 0) - bytes.length), '\n');
    try {
      await writeAll(file, Buffer.concat([bytes, padding]));
      await file.truncate(bytes.length);
      await file.sync();
    } catch (thrown) {
      if (old !== undefined) await putBack(file, old);
      throw thrown;
    }
  } finally {
    await file.close();
  }
}

async function dress(file: OpenFile, facts: FileFacts, looks: Looks): Promise<void> {
  const owner = looks.owner ?? facts.owner;
  const group = looks.group ?? facts.group;
  if (owner !== facts.owner || group !== facts.group) await file.chown(owner, group);
  if (looks.mode !== facts.mode) await file.chmod(looks.mode);
}

/** Best effort: the fault that brought us here is the one to tell. */
async function putBack(file: OpenFile, old: Buffer): Promise<void> {
  try {
    file.seekStart();
    await writeAll(file, old);
    await file.truncate(old.length);
    await file.sync();
  } catch {
    // The disk takes nothing at all; the caller reports why.
  }
}
