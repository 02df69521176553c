import { basename, dirname, isAbsolute, normalize } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { AccessToken } from '../token/secret.ts';
import type { FileFacts, OpenFile } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { inDirectory, type SharedDirectory } from './directory-pool.ts';
import { fileFault } from './file-fault.ts';
import { keepAccessList } from './keep-access-list.ts';
import { temporaryName } from './leftovers.ts';
import { type Looks, overwrite } from './overwrite.ts';
import { refuseStrange, type TokenDeed } from './present-file.ts';

/** A token file as it shall be, all names already looked up. */
export interface TokenFile {
  readonly path: string;
  /** Absent: ours. */
  readonly owner?: number;
  /** Absent: as the system gives it to a new file. */
  readonly group?: number;
  readonly mode: number;
  /** `keep`: an existing file keeps its owner, group, mode and ACL. */
  readonly existing: 'set' | 'keep';
  readonly inPlace: boolean;
}

/**
 * Makes the file hold the token and a line end: whole, durable, with its owner, group and mode from the first moment.
 * Faults with `target-refused` or `target-failed`; what was there is untouched then.
 */
export async function writeTokenFile(world: World, file: TokenFile, token: AccessToken): Promise<void> {
  const { directory, name } = splitPath('written', file.path);
  const owners = ownersOf(world, file);
  const bytes = Buffer.from(`${token.reveal()}\n`);
  try {
    await inDirectory(world, directory, owners, async (shared) => {
      const present = await shared.directory.look(name);
      if (present === undefined) return await replace(world, shared, name, bytes, file);
      const accepted = acceptedOwners(shared, present, file, owners);
      refuseStrange('written', file.path, present, accepted);
      if (file.inPlace) {
        const looks = file.existing === 'set' ? file : undefined;
        return await overwrite(shared.directory, name, bytes, accepted, looks);
      }
      if (file.existing === 'set') return await replace(world, shared, name, bytes, file);
      await replaceKeeping(world, shared, name, bytes, present);
    });
  } catch (thrown) {
    throw fileFault(thrown, `token not written to ${file.path}`);
  }
}

/** Splits an absolute path; faults with `target-refused` for a path that cannot be a file of ours. */
export function splitPath(deed: TokenDeed, path: string): { readonly directory: string; readonly name: string } {
  const plain = normalize(path);
  if (!isAbsolute(plain) || plain.endsWith('/') || plain.includes('\0')) {
    throw new Fault('target-refused', `token not ${deed}: ${JSON.stringify(path)} is not the absolute path of a file`);
  }
  return { directory: dirname(plain), name: basename(plain) };
}

/** Whose directories and files are safe for this one. */
export function ownersOf(world: World, file: Pick<TokenFile, 'owner'>): readonly number[] {
  return file.owner === undefined ? [world.user.uid] : [world.user.uid, file.owner];
}

/**
 * A file to be kept as it is may belong to anybody, since an administrator chose so: except where everybody may create files,
 * since there it was perhaps not the administrator.
 */
function acceptedOwners(
  { way }: SharedDirectory,
  present: FileFacts,
  file: TokenFile,
  owners: readonly number[],
): readonly number[] {
  const open = ((way.at(-1)?.facts.mode ?? 0o002) & 0o002) !== 0;
  return file.existing === 'keep' && !open ? [present.owner] : owners;
}

/** Where we may not give a new file the old one's owner or group, the old one is overwritten instead. */
async function replaceKeeping(
  world: World,
  shared: SharedDirectory,
  name: string,
  bytes: Buffer,
  present: FileFacts,
): Promise<void> {
  const looks = { owner: present.owner, group: present.group, mode: present.mode & 0o777 };
  const prepare = async (temporary: string) =>
    await keepAccessList(world, shared.directory.path, name, temporary, present.mode);
  try {
    await replace(world, shared, name, bytes, looks, prepare);
  } catch (thrown) {
    if (!isNotPermitted(thrown)) throw thrown;
    await overwrite(shared.directory, name, bytes, [present.owner]);
  }
}

async function replace(
  world: World,
  { directory }: SharedDirectory,
  name: string,
  bytes: Buffer,
  looks: Looks,
  prepare?: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(name, world.random.id());
  const given = (looks.owner !== undefined && looks.owner !== world.user.uid) || looks.group !== undefined;
  const dress = async (file: OpenFile) => {
    await giveAway(file, looks, world);
    await prepare?.(temporary);
  };
  await replaceFile(directory, name, {
    bytes,
    temporary,
    mode: looks.mode,
    keeps: 'durable',
    ...(given ? { dress } : {}),
  });
}

async function giveAway(file: OpenFile, looks: Looks, world: World): Promise<void> {
  const owner = looks.owner ?? world.user.uid;
  try {
    await file.chown(owner, looks.group ?? -1);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') throw thrown;
    throw new Fault(
      'target-refused',
      `token not written: we (user ${world.user.uid}) may not give the file to user ${owner}` +
        (looks.group === undefined ? '' : ` and group ${looks.group}`),
      { hint: 'run tokeep as root or with CAP_CHOWN, or leave owner and group out of the target', cause: thrown },
    );
  }
}

/** The change of owner was refused, by `giveAway`. */
function isNotPermitted(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === 'target-refused' && String(thrown.cause).endsWith('EPERM');
}
