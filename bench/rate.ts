/** Time to let the compiler have its say, in milliseconds. */
const warmUp = 1_500;
/** Between two looks at the clock. */
const batch = 50;

/**
 * How often work is done per second of processor time, that of all threads of this process with their system calls. On a machine with
 * neighbours that says more than the wall clock, and `openssl speed` counts likewise.
 */
export function rateOf(work: () => void, seconds: number): number {
  repeat(work, warmUp);
  const before = process.cpuUsage();
  const done = repeat(work, 1000 * seconds);
  const { user, system } = process.cpuUsage(before);
  return (1e6 * done) / (user + system);
}

function repeat(work: () => void, milliseconds: number): number {
  const until = performance.now() + milliseconds;
  let done = 0;
  while (performance.now() < until) {
    for (let turn = 0; turn < batch; turn++) work();
    done += batch;
  }
  return done;
}
