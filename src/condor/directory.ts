import { Fault } from '../fault/fault.ts';
import type { Epoch } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { isFit } from './credential-name.ts';
import { checkCredentialDirectory } from './directory-check.ts';
import { credentialsIn, type FoundCredential, wantedFiles } from './directory-scan.ts';
import { beginSigns, completeSign, keepSigns } from './directory-signs.ts';
import { tidyDirectory } from './directory-tidy.ts';
import { type DirectoryChange, DirectoryWatch } from './directory-watch.ts';

export type { FoundCredential } from './directory-scan.ts';
export type { DirectoryChange } from './directory-watch.ts';

/** Something about the directory that a person should see; the rest goes on. */
export interface DirectoryFinding {
  readonly message: string;
  readonly hint: string;
}

/** HTCondor's credential directory: the contract with condor_credd, without a decision about any credential. */
export interface CredentialDirectory {
  readonly path: string;
  /** Faults with `credential-directory-unsafe` where there is none, or others can get at it. */
  check(): Promise<void>;
  /** Takes CREDMON_COMPLETE away and makes condor_credd signal this process. */
  begin(pid: number): Promise<void>;
  /** Makes condor_credd signal this process if it would signal another one: the directory was mounted since, or somebody wrote there. */
  stayOn(pid: number): Promise<void>;
  /** Everything was looked at once. */
  complete(): Promise<void>;
  /** All credentials of all users; names that HTCondor would not have made are left out. */
  scan(): Promise<readonly FoundCredential[]>;
  /** Those of one user; none if the user is gone, or `closed`. */
  scanUser(user: string): Promise<readonly FoundCredential[]>;
  /** Users whose directories could not be read when they were last looked at. */
  readonly closed: ReadonlySet<string>;
  /** Resolves when every change from now on will be told, until what it gives is disposed of. */
  watch(onChange: (change: DirectoryChange) => void): Promise<AsyncDisposable>;
  /** Resolves when what had happened before was told to `onChange`: condor_credd writes, then signals. */
  settle(): Promise<void>;
  /** Removes request files that nobody used, and what our own dead processes left half written. */
  tidy(now: Epoch): Promise<void>;
  readonly findings: readonly DirectoryFinding[];
}

export function openCredentialDirectory(
  world: World,
  path: string,
  names: { readonly specialNames: boolean },
): CredentialDirectory {
  return new RealCredentialDirectory(world, path, names.specialNames);
}

class RealCredentialDirectory implements CredentialDirectory {
  readonly path: string;
  readonly #world: World;
  readonly #specialNames: boolean;
  #watch: DirectoryWatch | undefined;
  /** Users whose directories we may not read, with what the system says. */
  readonly #closed = new Map<string, string>();

  constructor(world: World, path: string, specialNames: boolean) {
    this.#world = world;
    this.path = path;
    this.#specialNames = specialNames;
  }

  check = () => checkCredentialDirectory(this.#world, this.path);
  begin = (pid: number) => beginSigns(this.#world, this.path, pid);
  stayOn = (pid: number) => keepSigns(this.#world, this.path, pid);
  complete = () => completeSign(this.#world, this.path);

  async scan(): Promise<readonly FoundCredential[]> {
    return await this.#read(await this.#users());
  }

  async scanUser(user: string): Promise<readonly FoundCredential[]> {
    return isFit(user) ? await this.#read([user]) : [];
  }

  get closed(): ReadonlySet<string> {
    return new Set(this.#closed.keys());
  }

  async watch(onChange: (change: DirectoryChange) => void): Promise<AsyncDisposable> {
    const watch = await this.#unlessUnreadable(() => DirectoryWatch.open(this.#world, this.path, onChange));
    this.#watch = watch;
    return watch;
  }

  async settle(): Promise<void> {
    await this.#unlessUnreadable(async () => await this.#watch?.settle());
  }

  async tidy(now: Epoch): Promise<void> {
    await tidyDirectory(this.#world, this.path, await this.#users(), now);
  }

  get findings(): readonly DirectoryFinding[] {
    const closed = [...this.#closed].map(([user, code]) => ({
      message: `the directory of user ${user} in ${this.path} cannot be read by us (${code})`,
      hint: 'the credmon runs as root, or as the owner of all directories in it',
    }));
    if (this.#watch === undefined || this.#watch.isTold) return closed;
    const untold = {
      message: `the system does not tell of all changes in ${this.path}; they are looked for every ten seconds`,
      hint: 'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances (sysctl)',
    };
    return [untold, ...closed];
  }

  async #read(users: readonly string[]): Promise<readonly FoundCredential[]> {
    const found: FoundCredential[] = [];
    const rules = { us: this.#world.user.uid, specialNames: this.#specialNames };
    await this.#unlessUnreadable(async () => {
      await this.#world.trees.read(this.path, users, wantedFiles, (user, directory) => {
        this.#closed.delete(user);
        if (directory === undefined) return;
        if ('unreadable' in directory) this.#closed.set(user, directory.unreadable);
        else found.push(...credentialsIn(user, directory, rules));
      });
    });
    return found;
  }

  async #users(): Promise<readonly string[]> {
    const names = await this.#names();
    return names.filter(({ name, isDirectory }) => isDirectory && isFit(name)).map(({ name }) => name);
  }

  #names = () => this.#unlessUnreadable(() => this.#world.trees.names(this.path));

  async #unlessUnreadable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === undefined || thrown instanceof Fault) throw thrown;
      const sentence = `the credential directory ${this.path} cannot be read (${code})`;
      throw new Fault('credential-directory-unsafe', sentence, { cause: thrown });
    }
  }
}
