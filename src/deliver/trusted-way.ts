import { join } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { Directory, FileFacts, Files } from '../world/files.ts';

/** One directory on the way to a file, as it was held, and the links that led to it. */
export interface WayStep {
  readonly path: string;
  readonly facts: FileFacts;
  readonly links: readonly WayLink[];
}

export interface WayLink {
  readonly path: string;
  readonly facts: FileFacts;
}

/** The end of a way, held by its descriptor, and every step that led there. Whoever walks closes `directory`. */
export interface WalkedWay {
  readonly directory: Directory;
  readonly steps: readonly WayStep[];
}

/** As many links as the system itself follows in one path. */
const mostLinks = 40;

interface Component {
  readonly name: string;
  readonly links: readonly WayLink[];
}

/**
 * Walks from `/` to `path`, holding each directory while the next is opened below it: what is judged later is what we went
 * through, however the names were swapped meanwhile. A link in the last component is refused. Faults with `target-refused`.
 */
export async function walkTo(files: Files, path: string): Promise<WalkedWay> {
  const walk = new Walk([await files.openDirectory('/', path === '/' ? 'list' : 'pass')], path);
  try {
    await walk.begin();
    for (const name of componentsOf(path).slice(0, -1)) await walk.follow({ name, links: [] });
    return await walk.end(componentsOf(path).at(-1));
  } finally {
    await walk.close();
  }
}

const componentsOf = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

class Walk {
  /** The directory we are in comes last, the ones above it before, for `..` in a link. */
  readonly #held: Directory[];
  readonly #wanted: string;
  readonly #steps: WayStep[] = [];
  #links = 0;

  constructor(held: Directory[], wanted: string) {
    this.#held = held;
    this.#wanted = wanted;
  }

  get #here(): Directory {
    return this.#held.at(-1) as Directory;
  }

  async begin(): Promise<void> {
    await this.#note([]);
  }

  /** Enters a directory, or what a link leads to, component by component. */
  async follow({ name, links }: Component): Promise<void> {
    if (name === '/') await this.#leave(this.#held.length - 1);
    else if (name === '..') await this.#leave(Math.min(1, this.#held.length - 1));
    else if (name !== '.' && !(await this.#enter(name, 'pass'))) return await this.#followLink({ name, links });
    await this.#note(links);
  }

  /** The last component is to be a directory itself, which from now on is the caller's. */
  async end(name: string | undefined): Promise<WalkedWay> {
    if (name !== undefined) {
      if (!(await this.#enter(name, 'list'))) {
        throw new Fault('target-refused', `the directory ${this.#wanted} is a symbolic link`, {
          hint: 'name the place the link leads to, if that is where the token shall go',
        });
      }
      await this.#note([]);
    }
    return { directory: this.#held.pop() as Directory, steps: this.#steps };
  }

  async close(): Promise<void> {
    await this.#leave(this.#held.length);
  }

  async #note(links: readonly WayLink[]): Promise<void> {
    this.#steps.push({ path: this.#here.path, facts: await this.#here.facts(), links });
  }

  async #leave(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) await this.#held.pop()?.close();
  }

  /** False if there is a link of this name. */
  async #enter(name: string, use: 'list' | 'pass'): Promise<boolean> {
    try {
      this.#held.push(await this.#here.openDirectory(name, use));
      return true;
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw this.#missing();
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw thrown;
      const found = await this.#here.look(name);
      if (found === undefined) throw this.#missing();
      if (found.type === 'link') return false;
      throw new Fault('target-refused', `${join(this.#here.path, name)} is not a directory but a ${found.type}`);
    }
  }

  async #followLink({ name, links }: Component): Promise<void> {
    const path = join(this.#here.path, name);
    this.#links += 1;
    if (this.#links > mostLinks) {
      throw new Fault('target-refused', `the way to ${this.#wanted} goes through more than ${mostLinks} links`);
    }
    const facts = await this.#here.look(name);
    const text = await this.#here.readLink(name);
    const after = await this.#here.look(name);
    // The owner of a link cannot be had from what is read of it, so it has to be the same link before and after.
    if (facts?.type !== 'link' || facts.inode !== after?.inode || facts.changedAt !== after.changedAt) {
      throw new Fault('target-failed', `the link ${path} was replaced while it was read`);
    }
    const parts = [...(text.startsWith('/') ? ['/'] : []), ...componentsOf(text)];
    const through = [...links, { path, facts }];
    // Only where the whole text has led is what the link stands for.
    for (const part of parts.slice(0, -1)) await this.follow({ name: part, links: [] });
    await this.follow({ name: parts.at(-1) ?? '.', links: through });
  }

  #missing(): Fault {
    const path = this.#wanted;
    return new Fault('target-refused', `the directory ${path} does not exist`, { hint: `make it: install -d ${path}` });
  }
}

/**
 * Refuses a way of which somebody else could swap a component: every directory belongs to root or one of `owners`, and
 * everybody may write in it only if it is sticky. A group may write in any of them, since that is how a service and its
 * readers share one: its members can swap what lies below, so they are trusted as the owner is, who let them in.
 */
export function refuseUnsafeWay(steps: readonly WayStep[], owners: readonly number[]): void {
  for (const { path, facts, links } of steps) {
    refuseStranger(path, facts, owners);
    for (const link of links) {
      refuseStranger(link.path, link.facts, owners);
      refuseBorrowedRights(link, facts, owners);
    }
    if ((facts.mode & 0o002) !== 0 && (facts.mode & 0o1000) === 0) {
      throw new Fault(
        'target-refused',
        `everybody may replace files in ${path} (mode ${octal(facts.mode)}, not sticky), so no token is kept below it`,
        { hint: `close it: chmod o-w ${path}` },
      );
    }
  }
}

/** The owner of a file must not lead us, who may write more than they, to where only others may. `owners` begins with us. */
function refuseBorrowedRights({ path, facts: link }: WayLink, facts: FileFacts, [us]: readonly number[]): void {
  if (link.owner === 0 || link.owner === us || link.owner === facts.owner) return;
  throw new Fault(
    'target-refused',
    `the link ${path} of user ${link.owner} leads to a directory of user ${facts.owner}, where they may not write themselves`,
    { hint: 'name the place the link leads to, if that is where the token shall go' },
  );
}

function refuseStranger(path: string, facts: FileFacts, owners: readonly number[]): void {
  if (facts.owner === 0 || owners.includes(facts.owner)) return;
  throw new Fault(
    'target-refused',
    `${path} belongs to user ${facts.owner}, who could put something else in the way of the token`,
    { hint: `use a directory of root or of the owner of the file, or give this one away: chown root ${path}` },
  );
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
