import { randomBytes } from 'node:crypto';
import { closeSync, constants, type FSWatcher, openSync, unlinkSync, watch as watchPath } from 'node:fs';
import type { OnEvent, Watch, WatchBegun, Watches } from './watches.ts';

/** An event comes within a millisecond; one that does not was lost. */
const longestWait = 250;

const directoryOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** One inotify instance for all of them (libuv has one per event loop), whose events come in the order in which they happened. */
export const realWatches: Watches = { open: (onEvent) => new RealWatch(onEvent) };

class RealWatch implements Watch {
  readonly #onEvent: OnEvent;
  readonly #watched = new Map<string, FSWatcher>();
  readonly #awaited = new Map<string, () => void>();

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  add(directory: string): WatchBegun {
    this.drop(directory);
    let held: number | undefined;
    try {
      held = openSync(directory, directoryOnly);
      // What is held, not what the name has come to mean.
      const itself = `${held}`;
      const watcher = watchPath(`/proc/self/fd/${itself}`, { persistent: false }, (_, name) => {
        this.#heard(directory, name === null || name === itself ? '' : name);
      });
      watcher.on('error', () => this.drop(directory));
      this.#watched.set(directory, watcher);
      return 'watched';
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE') return 'refused';
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EACCES') return 'gone';
      throw thrown;
    } finally {
      if (held !== undefined) closeSync(held);
    }
  }

  drop(directory: string): void {
    this.#watched.get(directory)?.close();
    this.#watched.delete(directory);
  }

  settled(directory: string): Promise<boolean> {
    if (!this.#watched.has(directory)) return Promise.resolve(false);
    const path = `${directory}/.watch.tokeep-${randomBytes(16).toString('base64url')}`;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const done = (seen: boolean) => {
      clearTimeout(timer);
      this.#awaited.delete(path);
      resolve(seen);
    };
    const timer = setTimeout(done, longestWait, false);
    this.#awaited.set(path, () => done(true));
    try {
      closeSync(openSync(path, 'wx', 0o600));
      unlinkSync(path);
    } catch {
      done(false);
    }
    return promise;
  }

  close(): void {
    for (const watcher of this.#watched.values()) watcher.close();
    this.#watched.clear();
    for (const heard of this.#awaited.values()) heard();
  }

  #heard(directory: string, name: string): void {
    this.#onEvent(directory, name);
    this.#awaited.get(`${directory}/${name}`)?.();
  }
}
