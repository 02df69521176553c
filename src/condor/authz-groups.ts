import { errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import type { FileFacts } from '../world/files.ts';
import type { World } from '../world/world.ts';

const largest = 64 * 1024 * 1024;

type Reading =
  | { readonly kind: 'groups'; readonly of: ReadonlyMap<string, readonly string[]> }
  | { readonly kind: 'unread'; readonly fault: Fault };

interface Seen {
  readonly stamp: string;
  readonly reading: Reading;
}

/** AUTHZ_GROUP_MAPFILE, each read once until it is changed. */
export class GroupMapfiles {
  readonly #world: World;
  readonly #seen = new Map<string, Promise<Seen>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** None for whom no line names. Throws Fault `config-invalid` for a file that cannot be read, or that everybody can write. */
  async groupsOf(path: string, user: string): Promise<readonly string[]> {
    const seen = this.#seen.get(path) ?? this.#read(path);
    this.#seen.set(path, seen);
    const { reading } = await seen;
    if (reading.kind === 'unread') throw reading.fault;
    return reading.of.get(user) ?? [];
  }

  /** Forgets those that were changed since they were read, and says whether there were any. */
  async changed(): Promise<boolean> {
    const changes = await Promise.all([...this.#seen].map(([path, seen]) => this.#forgetChanged(path, seen)));
    return changes.includes(true);
  }

  async #forgetChanged(path: string, seen: Promise<Seen>): Promise<boolean> {
    if ((await seen).stamp === stampOf(await this.#facts(path))) return false;
    this.#seen.delete(path);
    return true;
  }

  async #read(path: string): Promise<Seen> {
    // Looked at before: a change in between makes it read once more, never once too few.
    const facts = await this.#facts(path);
    return { stamp: stampOf(facts), reading: await this.#readingOf(path, facts) };
  }

  async #readingOf(path: string, facts: FileFacts | string | undefined): Promise<Reading> {
    if (typeof facts === 'object' && (facts.mode & 0o002) !== 0) {
      const what = `the mapfile ${path} can be written by everybody, who could give themselves any group`;
      return unread(new Fault('config-invalid', what, { hint: `chmod o-w ${path}` }));
    }
    try {
      const text = await this.#world.files.readText(path, largest);
      return text === undefined ? unread(unreadable(path, 'is not there')) : { kind: 'groups', of: readGroups(text) };
    } catch (thrown) {
      return unread(unreadable(path, `could not be read: ${errnoWords(thrown)}`));
    }
  }

  async #facts(path: string): Promise<FileFacts | string | undefined> {
    try {
      return await this.#world.files.facts(path);
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    }
  }
}

const unread = (fault: Fault): Reading => ({ kind: 'unread', fault });

const unreadable = (path: string, found: string): Fault =>
  new Fault('config-invalid', `the mapfile ${path}, which AUTHZ_GROUP_MAPFILE names, ${found}`);

const stampOf = (facts: FileFacts | string | undefined): string =>
  typeof facts === 'object' ? `${facts.inode} ${facts.size} ${facts.changedAt} ${facts.mode}` : `no ${facts}`;

/**
 * Lines `* USER GROUP,GROUP`, the first of a user counts, as HTCondor's local issuer reads them: users are compared as they are, what stands
 * behind is passed over, and so are all other lines. Mapfiles of its daemons may hold patterns between slashes; here they give nobody a
 * group, there neither. An empty name between commas is no group: for it the template would give all of `/groups/`.
 */
function readGroups(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const [star, user, groups] = line.trim().split(/\s+/);
    if (star !== '*' || user === undefined || groups === undefined || found.has(user)) continue;
    found.set(
      user,
      groups.split(',').filter((group) => group !== ''),
    );
  }
  return found;
}
