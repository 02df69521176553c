/** What a piece of work took. */
export interface Effort {
  /** Wall time, in seconds. */
  readonly took: number;
  /** Processor time of the main thread, in seconds. */
  readonly mainThread: number;
}

export async function effortOf(work: () => Promise<unknown>): Promise<Effort> {
  const before = process.threadCpuUsage();
  const begun = performance.now();
  await work();
  const took = (performance.now() - begun) / 1000;
  const { user, system } = process.threadCpuUsage(before);
  return { took, mainThread: (user + system) / 1e6 };
}
