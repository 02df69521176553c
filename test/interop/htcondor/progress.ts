/** A line of progress; each run of the pool is one story to read. */
export const say = (line: string): void => void process.stdout.write(`htcondor: ${line}\n`);

/** Does it, and says so with the time it took if that was worth a word. */
export async function took<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const done = await work();
  const seconds = (performance.now() - start) / 1000;
  if (seconds >= 1) say(`${what} (${seconds.toFixed(1)} s)`);
  return done;
}
