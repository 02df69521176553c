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

type Top = { readonly kind: 'top'; readonly text: string; readonly credential: Credential; readonly facts: FileFacts };
type Found = Top | { readonly kind: 'none'; readonly fault: Fault };

/** What a successor may be longer than its predecessor; the place is full to that length before anything is spent. */
const growth = 16 * 1024;

export const topPath = ({ directory, user, name }: TopPlace): string => `${directory}/${user}/${name}.top`;

/**
 * A `.top` file in the directory of its user, which is held by its descriptor from `reserve` on. Nothing is ever made anew where that
 * directory is gone: the user was swept.
 */
export class HeldTop implements AsyncDisposable {
  readonly #world: World;
  readonly #place: TopPlace;
  #held: { readonly root: Directory; readonly directory: Directory } | undefined;
  /** As it was read last. */
  #seen: Top | undefined;

  constructor(world: World, place: TopPlace) {
    this.#world = world;
    this.#place = place;
  }

  /** Lets go of the directory afterwards: who has read may wait long until it is their turn at the issuer, and many wait. */
  async read(): Promise<Found> {
    try {
      return (await this.#within((directory) => this.#readIn(directory))) ?? this.#none('its directory is gone');
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /**
   * A file beside the `.top`, full and synced, that becomes the `.top` with the successor in it. If somebody put another credential there in
   * the meantime, that one stays; if the user's directory went, the successor goes with it.
   */
  async reserve(spends: string | undefined, log: Logger): Promise<Reservation> {
    const draft = new Draft(this.#temporaryName());
    try {
      const made = await this.#within(async (directory) => {
        await draft.fill(directory);
        return true;
      });
      if (made === undefined) throw gone(this.#place);
    } catch (thrown) {
      await this.#within((directory) => draft.remove(directory)).catch(() => {});
      throw unwritable(this.#place, thrown);
    }
    return {
      save: async (successor) => {
        const saved = await this.#within((directory) => this.#put(directory, draft, spends, successor));
        const { user, name } = this.#place;
        if (saved === true) return;
        log.event('successor-superseded', { account: accountNameOf({ user, name }), path: topPath(this.#place) });
      },
      release: async () => {
        await this.#within((directory) => draft.remove(directory)).catch(() => {});
      },
    };
  }

  /** Puts the credential into the `.top` if what stands there is still the one with this fingerprint; says whether it did. */
  async replace(spent: string | undefined, credential: Credential): Promise<boolean> {
    const replaced = await this.#within(async (directory) => {
      const present = await this.#present(directory);
      if (present.kind === 'none' || present.credential.fingerprint !== spent) return false;
      await replaceFile(directory, this.#name, {
        bytes: Buffer.from(withSuccessor(present.text, credential)),
        temporary: this.#temporaryName(),
        mode: present.facts.mode,
        dress: (file) => dress(file, present.facts, this.#world),
        keeps: 'durable',
      });
      return true;
    });
    return replaced === true;
  }

  /** Takes `.top` and `.use` away; says whether there was something. */
  async remove(): Promise<boolean> {
    const removed = await this.#within(async (directory) => {
      let some = false;
      for (const name of [this.#name, `${this.#place.name}.use`]) {
        if ((await directory.look(name))?.type !== 'file') continue;
        await directory.remove(name);
        some = true;
      }
      await directory.sync();
      return some;
    });
    return removed === true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.directory.close();
    await held?.root.close();
  }

  async #put(directory: Directory, draft: Draft, spends: string | undefined, successor: Credential): Promise<boolean> {
    if (draft.isPlaced) {
      await directory.sync();
      return true;
    }
    const present = await this.#present(directory);
    if (present.kind === 'none' || present.credential.fingerprint !== spends) return false;
    const bytes = Buffer.from(withSuccessor(present.text, successor));
    await draft.become(directory, this.#name, bytes, (file) => dress(file, present.facts, this.#world));
    return true;
  }

  /** As it is now; read again only if it is another file than the one that was read. */
  async #present(directory: Directory): Promise<Found> {
    const now = await directory.look(this.#name);
    const seen = this.#seen;
    return seen !== undefined && now !== undefined && isSame(seen.facts, now) ? seen : await this.#readIn(directory);
  }

  async #readIn(directory: Directory): Promise<Found> {
    const file = await openFile(directory, this.#name);
    if (file === undefined) return this.#none('the file is gone');
    try {
      const facts = await file.facts();
      const bytes = facts.type === 'file' ? await file.read(largestTop) : undefined;
      if (bytes === undefined) return this.#none('it is no file of its kind');
      const top = parseTop(bytes);
      const credential = credentialOf(top);
      if (credential === undefined)
        return this.#none(top.kind === 'unreadable' ? `it ${top.why}` : 'it holds no refresh token');
      this.#seen = { kind: 'top', text: bytes.toString(), credential, facts };
      return this.#seen;
    } finally {
      await file.close();
    }
  }

  /** Undefined where the user's directory is gone, also if there is a new one of that name. */
  async #within<T>(work: (directory: Directory) => Promise<T>): Promise<T | undefined> {
    try {
      this.#held ??= await this.#open();
      return this.#held === undefined ? undefined : await work(this.#held.directory);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' && (await this.#isGone())) return undefined;
      throw thrown;
    }
  }

  async #open() {
    const root = await this.#world.files.openDirectory(this.#place.directory, 'pass');
    try {
      return { root, directory: await root.openDirectory(this.#place.user, 'list') };
    } catch (thrown) {
      const there = await root.look(this.#place.user);
      await root.close();
      if (there === undefined) return undefined;
      throw thrown;
    }
  }

  /** With the directory held, whatever is done in it is ENOENT once it was removed. */
  async #isGone(): Promise<boolean> {
    if (this.#held === undefined) return false;
    const { root, directory } = this.#held;
    const [there, ours] = [await root.look(this.#place.user), await directory.facts()];
    return there === undefined || there.inode !== ours.inode;
  }

  get #name(): string {
    return `${this.#place.name}.top`;
  }

  /** Hidden, and neither `.top` nor `.use` at its end: nobody takes it for a credential. */
  #temporaryName(): string {
    return `.${this.#place.name.slice(0, 64)}.tokeep-${this.#world.random.id()}`;
  }

  #none(why: string): Extract<Found, { kind: 'none' }> {
    const { user, name } = this.#place;
    const hint = `${user} logs in again by submitting a job that uses ${name}`;
    const sentence = `there is no credential in ${topPath(this.#place)}: ${why}`;
    return { kind: 'none', fault: new Fault('login-needed', sentence, { hint }) };
  }
}

/** The place for a successor: a file that takes up its room before anything is spent. */
class Draft {
  readonly #name: string;
  #file: OpenFile | undefined;
  #lies = false;
  /** It is the `.top` by now, though perhaps not on the disk. */
  isPlaced = false;

  constructor(name: string) {
    this.#name = name;
  }

  async fill(directory: Directory): Promise<void> {
    this.#file = await directory.createExclusive(this.#name, 0o600);
    this.#lies = true;
    await writeAll(this.#file, Buffer.alloc(growth, ' '));
    await this.#file.sync();
  }

  /** Synced before it is renamed, and the directory after. May be called again where it threw before the rename. */
  async become(
    directory: Directory,
    name: string,
    bytes: Buffer,
    dressed: (file: OpenFile) => Promise<void>,
  ): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new Fault('bug', `the place for the successor of ${name} was given back`);
    await dressed(file);
    file.seekStart();
    await writeAll(file, bytes);
    await file.truncate(bytes.length);
    await file.sync();
    await directory.rename(this.#name, name);
    this.#lies = false;
    this.isPlaced = true;
    await directory.sync();
  }

  async remove(directory: Directory): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    if (!this.#lies) return;
    this.#lies = false;
    await directory.remove(this.#name);
  }
}

/** As the file was that it replaces; only root can give a file away. */
async function dress(file: OpenFile, { owner, group, mode }: FileFacts, { user }: World): Promise<void> {
  if (user.uid === 0) await file.chown(owner, group);
  await file.chmod(mode);
}

const isSame = (a: FileFacts, b: FileFacts): boolean =>
  a.inode === b.inode && a.device === b.device && a.changedAt === b.changedAt && a.size === b.size;

async function openFile(directory: Directory, name: string): Promise<OpenFile | undefined> {
  try {
    return await directory.open(name, 'read');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

const gone = (place: TopPlace): Fault =>
  new Fault('login-needed', `the directory of ${place.user} in ${place.directory} is gone`);

function unwritable(place: TopPlace, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  const sentence = `no room for a new refresh token beside ${topPath(place)} (${code ?? 'unknown'}); nothing was sent`;
  return new Fault('state-write-failed', sentence, { cause: thrown });
}
