import { closeSync, constants, fstatSync, openSync, renameSync, type Stats, statSync, writeSync } from 'node:fs';
import { Fault } from '../fault/fault.ts';

/** Whether the file was moved away is looked at this often. */
const lookEvery = 1_000;

/**
 * The file that CREDMON_OAUTH_LOG names. It follows when the file is moved away (logrotate), and moves it to `.old` itself when it grows
 * beyond its limit, as HTCondor's daemons do. Its directory belongs to others as a rule, so that no link is followed there.
 */
export class CredmonLog {
  readonly #path: string;
  readonly #largest: number;
  #fd: number;
  #lookedAt = performance.now();

  private constructor(path: string, largest: number, fd: number) {
    this.#path = path;
    this.#largest = largest;
    this.#fd = fd;
  }

  /** Throws `log-unwritable`. */
  static open(path: string, largest: number): CredmonLog {
    return new CredmonLog(path, largest, openAt(path));
  }

  /** A line that cannot be written (a full disk) is lost: the log holds nothing up. */
  write(line: string): void {
    try {
      if (performance.now() - this.#lookedAt > lookEvery) this.look();
    } catch {
      // What cannot be moved or opened leaves us with the file we have.
    }
    try {
      writeSync(this.#fd, line);
    } catch {
      // There is no other place to say it.
    }
  }

  /** Opens the file anew if the one at its place is another by now. */
  look(): void {
    this.#lookedAt = performance.now();
    const ours = fstatSync(this.#fd);
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const moved = there?.ino !== ours.ino || there.dev !== ours.dev;
    if (!moved && ours.size < this.#largest) return;
    if (!moved) renameSync(this.#path, `${this.#path}.old`);
    const next = openAt(this.#path);
    closeSync(this.#fd);
    this.#fd = next;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const { O_APPEND, O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

function openAt(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0o640);
  } catch (thrown) {
    throw unwritable(path, (thrown as NodeJS.ErrnoException).code ?? 'unknown', thrown);
  }
  const found = strangeness(fstatSync(fd));
  if (found === undefined) return fd;
  closeSync(fd);
  throw unwritable(path, found);
}

/** Another name of the same file may be one that nobody but root writes to. */
const strangeness = (facts: Stats): string | undefined =>
  facts.isFile() ? (facts.nlink > 1 ? 'it has several names' : undefined) : 'it is no plain file';

const unwritable = (path: string, why: string, cause?: unknown): Fault =>
  new Fault('log-unwritable', `the log ${path} cannot be opened (${why})`, {
    hint: 'it is named by CREDMON_OAUTH_LOG (of the web login: CREDMON_WEB_LOG), or by -l',
    ...(cause === undefined ? {} : { cause }),
  });
