import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from './bundle.ts';
import { placesIn } from './engine-in.ts';
import type { Section } from './figure.ts';
import { freshState } from './fresh-state.ts';
import { node } from './programs.ts';

const wishes = 10_000;
const seconds = 70;

export const idle: Section = {
  name: 'idle',
  title: 'A daemon with nothing to do',
  how: `\`tokeep run\` (bundled) with ${wishes} fresh wishes, looked at for ${seconds} s after it has said that it started and looked at
every file once; that is more than one turn of its loop. Processor time of the process, all threads (/proc/PID/stat).`,
  async run(tell) {
    await using released = await bundle();
    await using directory = await freshState(wishes);
    const { config, state, env } = placesIn(directory.path);
    const child = node([released.program, 'run', '--config', config, '--state', state, '--verbose'], {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, ...env },
    });
    try {
      if (child.stderr === null || child.pid === undefined) throw new Error('no daemon');
      const lines = createInterface(child.stderr);
      const [line] = (await once(lines, 'line')) as [string];
      lines.on('line', (text: string) => tell(text));
      tell(line);
      await settled(child.pid);
      const before = await usage(child.pid);
      await sleep(1000 * seconds);
      const after = await usage(child.pid);
      const share = (100 * (after.processor - before.processor)) / seconds;
      return [
        { what: 'of one core', measured: share, unit: '%', must: { be: 'at most', value: 1 } },
        { what: 'memory in use', measured: after.resident / 1e6, unit: 'MB', must: { be: 'at most', value: 150 } },
        { what: 'most memory, from the start on', measured: after.peak / 1e6, unit: 'MB' },
      ];
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  },
};

/** The start and the first look at every file are over: two seconds without work. */
async function settled(pid: number): Promise<void> {
  for (let before = -1; ; ) {
    const { processor } = await usage(pid);
    if (processor - before < 0.03 && before >= 0) return;
    before = processor;
    await sleep(2_000);
  }
}

/** Seconds of processor time, and bytes. */
async function usage(pid: number) {
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
