import { type Epoch, epoch } from '../token/time.ts';
import type { TreeDirectory, TreeFile } from '../world/file-trees.ts';
import { type CredentialName, credentialName } from './credential-name.ts';
import { type MetaFile, parseMetaFile } from './meta-file.ts';
import { largestTop, parseTop, type TopFile } from './top-file.ts';

/** A credential that stands in the directory: its `.top`, and what is beside it. */
export interface FoundCredential {
  readonly credential: CredentialName;
  /** Of the `.top`: another file, or other content, has another one. */
  readonly identity: string;
  /** `unreadable`, too, for what is no plain file of those who may write here. */
  readonly top: TopFile;
  readonly meta?: MetaFile;
  /** When the `.top` was written. */
  readonly writtenAt: Epoch;
  readonly hasUse: boolean;
}

/** As useradd(8) has it. */
const longestUserName = 32;

/** What is read of a user's directory. */
export const wantedFiles = {
  isWanted: (name: string): boolean => name.endsWith('.top') || name.endsWith('.meta'),
  // condor_credd writes the name of the user where nothing more is needed; a credential of that length there is none.
  isRead: (user: string, name: string, size: number): boolean =>
    !name.endsWith('.top') || size !== user.length || size > longestUserName,
  limit: largestTop,
};

/** The credentials in a user's directory; `us` may own files there, as root and the owner of the directory may. */
export function credentialsIn(
  user: string,
  directory: TreeDirectory,
  { us, specialNames }: { readonly us: number; readonly specialNames: boolean },
): readonly FoundCredential[] {
  const names = new Set(directory.names);
  const metas = new Map(directory.files.filter(({ name }) => name.endsWith('.meta')).map((file) => [file.name, file]));
  const owners = [us, 0, directory.owner];
  const found: FoundCredential[] = [];
  for (const file of directory.files) {
    if (!file.name.endsWith('.top')) continue;
    const credential = credentialName(user, file.name.slice(0, -'.top'.length), { specialNames });
    if (credential === undefined) continue;
    const meta = metas.get(`${credential.name}.meta`);
    found.push({
      credential,
      identity: file.identity,
      top: read(file, owners, parseTop, { kind: 'plain' }),
      ...(meta === undefined
        ? {}
        : { meta: read(meta, owners, parseMetaFile, { kind: 'unreadable', why: 'was not read' }) }),
      writtenAt: epoch(file.modifiedAt),
      hasUse: names.has(`${credential.name}.use`),
    });
  }
  return found;
}

const kinds: Readonly<Record<string, string>> = { link: 'symbolic link', fifo: 'FIFO' };

/** FIL-03: nothing is believed that others may have put there. */
function read<T>(
  { content, links, owner }: TreeFile,
  owners: readonly number[],
  parse: (bytes: Uint8Array) => T,
  notRead: T,
): T | { readonly kind: 'unreadable'; readonly why: string } {
  const unreadable = (why: string) => ({ kind: 'unreadable', why }) as const;
  if (content.kind === 'no-file') return unreadable(`is a ${kinds[content.type] ?? content.type}, not a plain file`);
  if (links > 1) return unreadable(`has ${links} hard links`);
  if (!owners.includes(owner)) return unreadable(`belongs to user ${owner}, who is not the owner of the directory`);
  if (content.kind === 'too-large') return unreadable('is larger than 64 KiB');
  if (content.kind === 'unreadable') return unreadable(`could not be read (${content.code})`);
  return content.kind === 'not-read' ? notRead : parse(content.bytes);
}
