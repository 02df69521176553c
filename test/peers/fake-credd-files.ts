import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';

export interface CreddPlace {
  readonly directory: string;
  /** Who credd is besides root: owner of users' directories and request files. Absent: ourselves. */
  readonly condor?: { readonly uid: number; readonly gid: number };
  /** Milliseconds; for the 20 s for which the pid is remembered, and for marks. */
  readonly now?: () => number;
}

const pidMemory = 20_000;

/** What condor_credd, condor_schedd and the shadow do to files of the credential directory, and the signal to the credmon. */
export class CreddFiles {
  readonly #place: CreddPlace;
  #pid: { readonly number: number; readonly until: number } | undefined;

  constructor(place: CreddPlace) {
    this.#place = place;
  }

  makeUser(user: string): void {
    const path = `${this.#place.directory}/${user}`;
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch {
      return;
    }
    const { condor } = this.#place;
    if (condor !== undefined) chownSync(path, condor.uid, condor.gid);
    chmodSync(path, 0o2700);
  }

  write(user: string, file: string, content: string): void {
    put(this.path(user, file), content, 0o600);
  }

  read(user: string, file: string): string | undefined {
    try {
      return readFileSync(this.path(user, file), 'utf8');
    } catch {
      return undefined;
    }
  }

  useTime(user: string, name: string): number | undefined {
    const stats = statSync(this.path(user, `${name}.use`), { throwIfNoEntry: false });
    return stats === undefined ? undefined : Math.floor(stats.mtimeMs / 1000);
  }

  clearMark(user: string): void {
    rmSync(`${this.#place.directory}/${user}.mark`, { force: true });
  }

  path = (user: string, file: string): string => `${this.#place.directory}/${user}/${file}`;

  remove(user: string, file: string): void {
    rmSync(this.path(user, file), { force: true });
  }

  request(key: string, content: string): void {
    put(`${this.#place.directory}/${key}`, content, 0o640, this.#place.condor);
  }

  /** As condor_schedd does for a user without jobs. */
  mark(user: string): void {
    writeFileSync(`${this.#place.directory}/${user}.mark`, '', { flag: 'a', mode: 0o600 });
  }

  /** Removes what was marked at least this many seconds ago. */
  sweep(delay = 3600): void {
    const { directory } = this.#place;
    for (const mark of readdirSync(directory).filter((name) => name.endsWith('.mark'))) {
      const stats = statSync(`${directory}/${mark}`);
      if (stats.isDirectory() || this.#now() - stats.mtimeMs < delay * 1000) continue;
      rmSync(`${directory}/${mark}`);
      rmSync(`${directory}/${mark.slice(0, -'.mark'.length)}`, { recursive: true, force: true });
    }
  }

  /** The pid is read anew only after 20 s. */
  kick(): boolean {
    const now = this.#now();
    if (this.#pid === undefined || now > this.#pid.until) {
      const number = Number.parseInt(readFileSync(`${this.#place.directory}/pid`, 'latin1'), 10);
      if (number > 0) this.#pid = { number, until: now + pidMemory };
    }
    if (this.#pid === undefined) return false;
    try {
      return process.kill(this.#pid.number, 'SIGHUP');
    } catch {
      return false;
    }
  }

  #now = (): number => (this.#place.now ?? Date.now)();
}

function put(path: string, content: string, mode: number, owner?: CreddPlace['condor']): void {
  writeFileSync(`${path}.tmp`, content, { mode });
  if (owner !== undefined) chownSync(`${path}.tmp`, owner.uid, owner.gid);
  renameSync(`${path}.tmp`, path);
}
