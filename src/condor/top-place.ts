import { Fault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import type { Reservation } from '../store/spool.ts';
import type { Credential } from '../token/secret.ts';
import type { Directory, FileFacts, OpenFile } from '../world/files.ts';
import { replaceFile, writeAll } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { accountNameOf, type CredentialName } from './credential-name.ts';
import { credentialOf, largestTop, parseTop, withSuccessor } from './top-file.ts';

/** Where a `.top` file lies. */
export interface TopPlace extends Pick<CredentialName, 'user' | 'name'> {
  /** The credential directory. */
  readonly directory: string;
}

type Found =
  | { readonly kind: 'top'; readonly text: string; readonly credential: Credential; readonly facts: FileFacts }
  | { readonly kind: 'none'; readonly fault: Fault };

/** What a successor may be longer than its predecessor; the place is full to that length before anything is spent. */
const growth = 16 * 1024;

export const topPath = ({ directory, user, name }: TopPlace): string => `${directory}/${user}/${name}.top`;

export async function readTop(world: World, place: TopPlace): Promise<Found> {
  const found = await inUserDirectory(world, place, (directory) => read(directory, place));
  return found ?? none(place, 'its directory is gone');
}

/**
 * A file beside the `.top`, full and synced, that becomes the `.top` with the successor in it. If somebody put another credential there in
 * the meantime, that one stays; if the user's directory went, nothing is made anew, and the successor goes with it.
 */
export async function reserveTop(
  world: World,
  place: TopPlace,
  spends: { readonly fingerprint: string } | undefined,
  log: Logger,
): Promise<Reservation> {
  const temporary = temporaryName(place, world);
  let draft: OpenFile | undefined;
  let left = true;
  const full = async (directory: Directory) => {
    draft = await directory.createExclusive(temporary, 0o600);
    await writeAll(draft, Buffer.alloc(growth + 1024, ' '));
    await draft.sync();
    return true;
  };
  const release = async () => {
    await draft?.close();
    draft = undefined;
    if (!left) return;
    left = false;
    await inUserDirectory(world, place, (directory) => directory.remove(temporary)).catch(() => {});
  };
  try {
    if ((await inUserDirectory(world, place, full)) === undefined) throw gone(place);
  } catch (thrown) {
    await release();
    throw unwritable(place, thrown);
  }
  return {
    async save(successor) {
      const file = draft;
      if (file === undefined) throw new Fault('bug', `the place for the successor of ${topPath(place)} was given back`);
      const saved = await inUserDirectory(world, place, async (directory) => {
        const present = await read(directory, place);
        if (present.kind === 'none' || present.credential.fingerprint !== spends?.fingerprint) return false;
        await dress(file, present.facts, world);
        file.seekStart();
        const bytes = Buffer.from(withSuccessor(present.text, successor));
        await writeAll(file, bytes);
        await file.truncate(bytes.length);
        await file.sync();
        await directory.rename(temporary, `${place.name}.top`);
        left = false;
        await directory.sync();
        return true;
      });
      if (saved !== true) log.event('successor-superseded', { account: accountNameOf(place), path: topPath(place) });
    },
    release,
  };
}

/** Puts the credential into the `.top` if what stands there is still the one with this fingerprint; says whether it did. */
export async function replaceTop(
  world: World,
  place: TopPlace,
  spent: string | undefined,
  credential: Credential,
): Promise<boolean> {
  const replaced = await inUserDirectory(world, place, async (directory) => {
    const present = await read(directory, place);
    if (present.kind === 'none' || present.credential.fingerprint !== spent) return false;
    await replaceFile(directory, `${place.name}.top`, {
      bytes: Buffer.from(withSuccessor(present.text, credential)),
      temporary: temporaryName(place, world),
      mode: present.facts.mode,
      dress: (file) => dress(file, present.facts, world),
      keeps: 'durable',
    });
    return true;
  });
  return replaced === true;
}

/** Takes `.top` and `.use` away; says whether there was something. */
export async function removeCredential(world: World, place: TopPlace): Promise<boolean> {
  const removed = await inUserDirectory(world, place, async (directory) => {
    let some = false;
    for (const name of [`${place.name}.top`, `${place.name}.use`]) {
      if ((await directory.look(name))?.type !== 'file') continue;
      await directory.remove(name);
      some = true;
    }
    await directory.sync();
    return some;
  });
  return removed === true;
}

/** As the file was that it replaces; only root can give a file away. */
async function dress(file: OpenFile, { owner, group, mode }: FileFacts, { user }: World): Promise<void> {
  if (user.uid === 0) await file.chown(owner, group);
  await file.chmod(mode);
}

async function read(directory: Directory, place: TopPlace): Promise<Found> {
  const file = await openFile(directory, `${place.name}.top`);
  if (file === undefined) return none(place, 'the file is gone');
  try {
    const facts = await file.facts();
    const bytes = facts.type === 'file' ? await file.read(largestTop) : undefined;
    if (bytes === undefined) return none(place, 'it is no file of its kind');
    const top = parseTop(bytes);
    const credential = credentialOf(top);
    if (credential === undefined)
      return none(place, top.kind === 'unreadable' ? `it ${top.why}` : 'it holds no refresh token');
    return { kind: 'top', text: bytes.toString(), credential, facts };
  } finally {
    await file.close();
  }
}

async function openFile(directory: Directory, name: string): Promise<OpenFile | undefined> {
  try {
    return await directory.open(name, 'read');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Undefined where there is no such directory any more: the user was swept. */
async function inUserDirectory<T>(
  world: World,
  { directory, user }: TopPlace,
  work: (directory: Directory) => Promise<T>,
): Promise<T | undefined> {
  const root = await world.files.openDirectory(directory, 'pass');
  let below: Directory | undefined;
  try {
    below = await root.openDirectory(user, 'list');
    return await work(below);
  } catch (thrown) {
    // With the directory open, a name that is not there is ENOENT as well once it was removed.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' && (await root.look(user)) === undefined) return undefined;
    throw thrown;
  } finally {
    await below?.close();
    await root.close();
  }
}

/** Hidden, and neither `.top` nor `.use` at its end: nobody takes it for a credential. */
const temporaryName = ({ name }: TopPlace, world: World): string => `.${name.slice(0, 64)}.tokeep-${world.random.id()}`;

const none = (place: TopPlace, why: string): Extract<Found, { kind: 'none' }> => ({
  kind: 'none',
  fault: new Fault('login-needed', `there is no credential in ${topPath(place)}: ${why}`, {
    hint: `${place.user} logs in again by submitting a job that uses ${place.name}`,
  }),
});

const gone = (place: TopPlace): Fault =>
  new Fault('login-needed', `the directory of ${place.user} in ${place.directory} is gone`);

function unwritable(place: TopPlace, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  const sentence = `no room for a new refresh token beside ${topPath(place)} (${code ?? 'unknown'}); nothing was sent`;
  return new Fault('state-write-failed', sentence, { cause: thrown });
}
