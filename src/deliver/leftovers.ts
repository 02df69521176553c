import { type Epoch, hours, type Millis } from '../token/time.ts';
import type { Directory } from '../world/files.ts';

/** A temporary file lives for moments; a private one for as long as its command, which writes it anew in between. */
const patterns: readonly { readonly name: RegExp; readonly oldAge: Millis }[] = [
  { name: /^\..+\.tokeep-[A-Za-z0-9_-]{22}$/, oldAge: hours(1) },
  { name: /^\.tokeep-[A-Za-z0-9_-]{22}\.token$/, oldAge: hours(24) },
];

/** A private file that is in use is written anew this often, so that it is never taken for a leftover. */
export const privateFileRewrite = hours(6);

/** Longest part of a file's name that goes into its temporary name, so that this stays below the 255 bytes of a name. */
const longestPart = 64;

/** `.NAME.tokeep-<id>`: hidden, so that nobody who lists a directory for tokens reads it. */
export function temporaryName(name: string, id: string): string {
  return `.${name.slice(0, longestPart)}.tokeep-${id}`;
}

/** What `sweepLeftovers` would look at. */
export const mayBeLeftover = (name: string): boolean => patterns.some((pattern) => pattern.name.test(name));

/** `.tokeep-<id>.token`: a file of a single command. */
export function privateName(id: string): string {
  return `.tokeep-${id}.token`;
}

/**
 * Removes what a process left behind when it died: by pattern, plain files, of these owners, temporary ones older than an hour
 * and private ones older than a day (scenario 12). Never faults: what cannot be removed today is tried again later.
 */
export async function sweepLeftovers(directory: Directory, owners: readonly number[], now: Epoch): Promise<void> {
  for (const name of await directory.list().catch(() => [])) {
    const pattern = patterns.find((each) => each.name.test(name));
    if (pattern === undefined) continue;
    const facts = await directory.look(name).catch(() => undefined);
    if (facts?.type !== 'file' || !owners.includes(facts.owner)) continue;
    if (now - facts.modifiedAt > pattern.oldAge) await directory.remove(name).catch(() => {});
  }
}
