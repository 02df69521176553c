import { basename, dirname } from 'node:path/posix';
import { type Millis, minutes, seconds } from '../token/time.ts';
import type { TreeStamp } from '../world/file-trees.ts';
import type { Watch } from '../world/watches.ts';
import type { World } from '../world/world.ts';
import { isFit } from './credential-name.ts';

/** Users of whom something changed: a `.top` or `.meta` came, went or was replaced, a `.use` went, the user is new or gone. */
export interface DirectoryChange {
  readonly users: ReadonlySet<string>;
}

/** For what the system forgot to tell: its queue of events is not endless. */
const lookEvery = minutes(1);
/** Where it tells nothing. */
const lookOften = seconds(10);

/**
 * The credential directory, watched: one watch for it, one for each user's directory. Where the system gives no (more) watches, times of
 * change are compared every ten seconds, and at each `settle`.
 */
export class DirectoryWatch implements AsyncDisposable {
  readonly #world: World;
  readonly #root: string;
  readonly #onChange: (change: DirectoryChange) => void;
  readonly #watch: Watch;
  /** Each user's directory as we last looked at it, and whether the system tells us of it. */
  readonly #users = new Map<string, TreeStamp & { readonly isWatched: boolean }>();
  readonly #stopped = new AbortController();
  #isRootWatched = false;
  /** Of the directory itself as it was watched: a file system that is mounted there, or a new one of that name, is another one. */
  #rootIdentity: string | undefined;
  #looking: Promise<void> = Promise.resolve();
  #flushing: Promise<void> | undefined;
  /** Names in the directory itself of which something was told. */
  #names = new Set<string>();
  /** `.use` files, by user. */
  #uses = new Map<string, Set<string>>();
  #changed = new Set<string>();

  private constructor(world: World, root: string, onChange: (change: DirectoryChange) => void) {
    this.#world = world;
    this.#root = root;
    this.#onChange = onChange;
    this.#watch = world.watches.open((directory, name) => this.#heard(directory, name));
  }

  /** Resolves when every directory is watched that is there. */
  static async open(world: World, root: string, onChange: (change: DirectoryChange) => void): Promise<DirectoryWatch> {
    const made = new DirectoryWatch(world, root, onChange);
    await made.#look();
    made.#changed.clear();
    made.#looking = made.#lookNowAndThen();
    return made;
  }

  /** False where times of change have to do. */
  get isTold(): boolean {
    return this.#isRootWatched && this.#users.values().every(({ isWatched }) => isWatched);
  }

  /** Resolves when `onChange` was told everything that had happened before. */
  async settle(): Promise<void> {
    if (this.isTold && (await this.#watch.settled(this.#root))) await this.#flush();
    else await this.#settleByTimes();
  }

  async #settleByTimes(): Promise<void> {
    await this.#look();
    await this.#flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#watch.close();
    await this.#looking;
    await this.#flushing?.catch(() => {});
  }

  #heard(directory: string, name: string): void {
    if (directory === this.#root) {
      if (name === '') this.#settleByTimes().catch(() => {});
      else if (isFit(name)) this.#names.add(name);
    } else {
      const user = directory.slice(this.#root.length + 1);
      if (name === '') this.#names.add(user);
      else if (name.endsWith('.top') || name.endsWith('.meta')) this.#changed.add(user);
      else if (name.endsWith('.use')) this.#uses.set(user, (this.#uses.get(user) ?? new Set()).add(name));
      else return;
    }
    // What fails is found at the next look; that the directory cannot be read is told by whoever scans it.
    this.#flush().catch(() => {});
  }

  /** What is told in the same moment is handed on together. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#handOut();
    return this.#flushing;
  }

  async #handOut(): Promise<void> {
    try {
      await new Promise(setImmediate);
      while (this.#names.size > 0 || this.#uses.size > 0) await this.#lookAtHeard();
    } finally {
      // Here and not later: what is told from now on needs a turn of its own.
      this.#flushing = undefined;
    }
    if (this.#changed.size === 0) return;
    const users = this.#changed;
    this.#changed = new Set();
    this.#onChange({ users });
  }

  async #lookAtHeard(): Promise<void> {
    const [names, uses] = [this.#names, this.#uses];
    [this.#names, this.#uses] = [new Set(), new Map()];
    await this.#world.trees.stamps(this.#root, names, (name, stamp) => this.#note(name, stamp, 'identity'));
    for (const [user, files] of uses) await this.#lookForUses(user, files);
  }

  /** Most of what happens to `.use` files is that we write them. */
  async #lookForUses(user: string, files: ReadonlySet<string>): Promise<void> {
    const gone = () => this.#changed.add(user);
    await this.#world.trees
      .stamps(`${this.#root}/${user}`, files, (_, stamp) => void (stamp === undefined && gone()))
      .catch(gone);
  }

  async #lookNowAndThen(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const pause: Millis = this.isTold ? lookEvery : lookOften;
      await this.#world.clock.sleep(pause, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#settleByTimes().catch(() => {});
    }
  }

  /** Compares the times of change of all users' directories, and watches what is not watched yet. */
  async #look(): Promise<void> {
    await this.#watchRoot();
    const entries = await this.#world.trees.names(this.#root);
    const there = new Set(
      entries.filter(({ name, isDirectory }) => isDirectory && isFit(name)).map(({ name }) => name),
    );
    for (const user of this.#users.keys()) if (!there.has(user)) this.#note(user, undefined, 'times');
    await this.#world.trees.stamps(this.#root, there, (name, stamp) => this.#note(name, stamp, 'times'));
  }

  async #watchRoot(): Promise<void> {
    let identity: string | undefined;
    await this.#world.trees.stamps(dirname(this.#root), [basename(this.#root)], (_, stamp) => {
      identity = stamp?.identity;
    });
    if (this.#isRootWatched && identity === this.#rootIdentity) return;
    this.#rootIdentity = identity;
    this.#isRootWatched = this.#watch.add(this.#root) === 'watched';
  }

  /** `identity`: only whether it is the same directory, since of its content the system tells us. */
  #note(name: string, stamp: TreeStamp | undefined, compare: 'identity' | 'times'): void {
    const known = this.#users.get(name);
    if (!stamp?.isDirectory) {
      if (known === undefined) return;
      this.#watch.drop(`${this.#root}/${name}`);
      this.#users.delete(name);
      this.#changed.add(name);
      return;
    }
    const isSame = known?.identity === stamp.identity;
    if (isSame && compare === 'identity') return;
    const wasWatched = isSame && known.isWatched;
    const isWatched = wasWatched || this.#watch.add(`${this.#root}/${name}`) === 'watched';
    if (!isSame || isWatched !== wasWatched || known.modifiedAt !== stamp.modifiedAt) this.#changed.add(name);
    this.#users.set(name, { ...stamp, isWatched });
  }
}
