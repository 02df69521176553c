/** Lets the waiting of one process go by turns, one line per name, so that only the first in line asks the outside. */
export class Turns {
  /** The end of each line: settles when the last one in it has left. */
  readonly #lines = new Map<string, Promise<void>>();

  /** Resolves when it is our turn, with the function that ends it. Rejects with the signal's reason. */
  async take(name: string, signal: AbortSignal): Promise<() => void> {
    const before = this.#lines.get(name);
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const line = Promise.resolve(before).then(() => left);
    this.#lines.set(name, line);
    const end = () => {
      leave();
      if (this.#lines.get(name) === line) this.#lines.delete(name);
    };
    try {
      await unlessAborted(before, signal);
      return end;
    } catch (thrown) {
      end();
      throw thrown;
    }
  }
}

async function unlessAborted(waiting: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (waiting === undefined) return;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const fail = () => reject(signal.reason);
  signal.addEventListener('abort', fail, { once: true });
  try {
    await Promise.race([waiting, aborted]);
  } finally {
    signal.removeEventListener('abort', fail);
  }
}
