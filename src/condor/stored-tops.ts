import { asFault, Fault } from '../fault/fault.ts';
import type { Directory, FileFacts } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { type CredentialName, credentialName, isFit } from './credential-name.ts';
import { type MetaFile, parseMetaFile } from './meta-file.ts';
import type { CredmonSettings } from './settings.ts';
import { largestTop, parseTop, type TopFile } from './top-file.ts';

/** A `.top` file with what stands beside it. `directory` is the user's, held open while it is looked at. */
export interface StoredTop {
  readonly kind: 'top';
  readonly credential: CredentialName;
  readonly directory: Directory;
  readonly top: TopFile;
  readonly facts: FileFacts;
  readonly meta: { readonly file: MetaFile; readonly facts: FileFacts } | undefined;
}

/** A `.meta` file whose `.top` is gone: condor_store_cred deletes the one without the other. */
export interface LoneMeta {
  readonly kind: 'lone-meta';
  readonly credential: CredentialName;
  readonly directory: Directory;
  readonly file: MetaFile;
}

/** What could not be read; the others go on. */
interface UnreadTop {
  readonly kind: 'failed';
  readonly path: string;
  readonly fault: Fault;
}

type Stored = StoredTop | LoneMeta | UnreadTop;

/**
 * All credentials of a credential directory, one after the other, for commands that go through all of them. No link is followed. Throws a
 * Fault where the directory itself cannot be read.
 */
export async function* storedTops(
  world: World,
  settings: Pick<CredmonSettings, 'directory' | 'specialNames'>,
): AsyncGenerator<Stored> {
  const root = await world.files.openDirectory(settings.directory).catch((thrown: unknown) => {
    throw unreadable(settings.directory, thrown);
  });
  try {
    for (const user of (await root.list()).filter(isFit).sort()) {
      if ((await root.look(user))?.type === 'directory') yield* topsOf(root, user, settings);
    }
  } finally {
    await root.close();
  }
}

async function* topsOf(
  root: Directory,
  user: string,
  settings: Pick<CredmonSettings, 'directory' | 'specialNames'>,
): AsyncGenerator<Stored> {
  const path = `${settings.directory}/${user}`;
  let directory: Directory | undefined;
  try {
    directory = await root.openDirectory(user, 'list');
    for (const name of namesOf(await directory.list())) {
      const credential = credentialName(user, name, settings);
      if (credential === undefined) continue;
      const found = await topAt(directory, credential).catch(
        (thrown: unknown): UnreadTop => ({ kind: 'failed', ...failure(`${path}/${name}.top`, thrown) }),
      );
      if (found !== undefined) yield found;
    }
  } catch (thrown) {
    if (!isGone(thrown)) yield { kind: 'failed', ...failure(path, thrown) };
  } finally {
    await directory?.close();
  }
}

const namesOf = (files: readonly string[]): readonly string[] =>
  [...new Set(files.map((file) => /^(.+)\.(?:top|meta)$/.exec(file)?.[1] ?? ''))].filter((name) => name !== '').sort();

async function topAt(
  directory: Directory,
  credential: CredentialName,
): Promise<Exclude<Stored, UnreadTop> | undefined> {
  const top = await contentOf(directory, `${credential.name}.top`);
  const meta = await contentOf(directory, `${credential.name}.meta`);
  if (top === undefined) {
    return meta && { kind: 'lone-meta', credential, directory, file: parseMetaFile(meta.bytes) };
  }
  return {
    kind: 'top',
    credential,
    directory,
    top: parseTop(top.bytes),
    facts: top.facts,
    meta: meta === undefined ? undefined : { file: parseMetaFile(meta.bytes), facts: meta.facts },
  };
}

/** Undefined where there is no such file (any more). One byte more than fits is enough for the parser to refuse it. */
async function contentOf(directory: Directory, name: string) {
  try {
    const file = await directory.open(name, 'read');
    try {
      const facts = await file.facts();
      if (facts.type !== 'file') throw new Fault('target-refused', `${directory.path}/${name} is not a plain file`);
      return { facts, bytes: (await file.read(largestTop)) ?? Buffer.alloc(largestTop + 1) };
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw unreadable(`${directory.path}/${name}`, thrown);
  }
}

const isGone = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ENOENT';

const failure = (path: string, thrown: unknown) => ({ path, fault: unreadable(path, thrown) });

function unreadable(path: string, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === undefined) return asFault(thrown, `reading ${path}`);
  const isLink = code === 'ELOOP' || code === 'ENOTDIR';
  const found = isLink ? 'it is a link or no directory, and is not followed' : code;
  return new Fault('secret-unreadable', `${path} could not be read: ${found}`, { cause: thrown });
}
