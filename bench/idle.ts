import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from './bundle.ts';
import { placesIn } from './engine-in.ts';
import type { Section } from './figure.ts';
import { freshState } from './fresh-state.ts';
import { usage } from './process-usage.ts';
import { node } from './programs.ts';

const wishes = 10_000;
const seconds = 40;
/** How often the daemon looks at every file, in seconds (`sweepEvery` of renew/daemon.ts). */
const looksEvery = 300;

export const idle: Section = {
  name: 'idle',
  title: 'A daemon with nothing to do',
  how: `\`tokeep run\` (bundled) with ${wishes} fresh wishes, each with a file, in memory; looked at for ${seconds} s once it has started. It
looks whether every file is still there once in ${looksEvery / 60} minutes; what that takes is measured by a SIGHUP, which also has it read
the configuration again, and its share is added. Processor time of all threads (/proc/PID/stat).`,
  async run(tell) {
    await using released = await bundle();
    await using directory = await freshState(wishes);
    const { config, state, env } = placesIn(directory.path);
    const child = node([released.program, 'run', '--config', config, '--state', state], {
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
      child.kill('SIGHUP');
      await sleep(1_000);
      await settled(child.pid);
      const looked = (await usage(child.pid)).processor - after.processor;
      const turning = (after.processor - before.processor) / seconds;
      const share = 100 * (turning + looked / looksEvery);
      return [
        { what: 'of one core', measured: share, unit: '%', must: { be: 'at most', value: 1 } },
        { what: 'memory in use', measured: after.resident / 1e6, unit: 'MB', must: { be: 'at most', value: 150 } },
        { what: 'of one core, between two looks at the files', measured: 100 * turning, unit: '%' },
        { what: 'one look at the files, and reading the configuration', measured: looked, unit: 's' },
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
export async function settled(pid: number): Promise<void> {
  for (let before = -1; ; ) {
    const { processor } = await usage(pid);
    if (processor - before < 0.03 && before >= 0) return;
    before = processor;
    await sleep(2_000);
  }
}
