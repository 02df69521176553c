import { basename, dirname } from 'node:path';
import { Fault } from '../fault/fault.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';

export interface FileOwnership {
  readonly mode: number;
  readonly owner: number;
  readonly group: number;
}

/**
 * Writes a file that a person looks after, whole or not at all: a temporary file, synced, renamed, the directory synced. An
 * existing one keeps owner, group and mode; a new one gets `fresh`. Links are not followed. Throws `config-unwritable`.
 */
export async function replaceText(world: World, path: string, text: string, fresh: FileOwnership): Promise<void> {
  try {
    await world.files.makeDirectories(dirname(path), 0o755);
    const directory = await world.files.openDirectory(dirname(path));
    try {
      const before = await directory.look(basename(path));
      if (before !== undefined && before.type !== 'file') {
        throw new Fault('config-unwritable', `${path} was not written: it is a ${before.type}`);
      }
      const { mode, owner, group } = before ?? fresh;
      await replaceFile(directory, basename(path), {
        bytes: Buffer.from(text, 'utf8'),
        temporary: `.${basename(path)}.${world.random.id()}`,
        mode,
        keeps: 'durable',
        async dress(file) {
          const mine = await file.facts();
          if (mine.owner !== owner || mine.group !== group) await file.chown(owner, group);
        },
      });
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('config-unwritable', `${path} could not be written (${code}); it is as it was`, {
      hint: `ls -ld ${dirname(path)}   # may this user write there?`,
      cause: thrown,
    });
  }
}
