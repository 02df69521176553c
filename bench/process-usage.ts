import { readFile } from 'node:fs/promises';

/** Of a running process: seconds of processor time of all its threads, and bytes. */
export async function usage(pid: number) {
  const ticksPerSecond = 100;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold anything: the 12th and 13th field from there are utime and stime (proc(5)).
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  return {
    processor: ((fields[11] ?? 0) + (fields[12] ?? 0)) / ticksPerSecond,
    resident: kilobytes('VmRSS'),
    peak: kilobytes('VmHWM'),
  };
}
