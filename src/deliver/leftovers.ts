import { type Epoch, hours } from '../token/time.ts';
import type { Directory } from '../world/files.ts';

const ours = /^\..+\.tokeep-[A-Za-z0-9_-]{22}$/;
const oldAge = hours(1);

/** Longest part of a file's name that goes into its temporary name, so that this stays below the 255 bytes of a name. */
const longestPart = 64;

/** `.NAME.tokeep-<id>`: hidden, so that nobody who lists a directory for tokens reads it. */
export function temporaryName(name: string, id: string): string {
  return `.${name.slice(0, longestPart)}.tokeep-${id}`;
}

/**
 * Removes temporary files that a process left behind when it died: by pattern, plain files, of these owners, older than an
 * hour (scenario 12). Never faults: what cannot be removed today is tried again later.
 */
export async function sweepLeftovers(directory: Directory, owners: readonly number[], now: Epoch): Promise<void> {
  for (const name of await directory.list().catch(() => [])) {
    if (!ours.test(name)) continue;
    const facts = await directory.look(name).catch(() => undefined);
    if (facts?.type !== 'file' || !owners.includes(facts.owner)) continue;
    if (now - facts.modifiedAt > oldAge) await directory.remove(name).catch(() => {});
  }
}
