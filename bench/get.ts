import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from './bundle.ts';
import { directoryOn } from './directory.ts';
import { placesIn } from './engine-in.ts';
import { median, type Section } from './figure.ts';
import { freshState } from './fresh-state.ts';
import { outputOf } from './programs.ts';

const rounds = 30;

export const get: Section = {
  name: 'get',
  title: 'Printing a fresh token',
  how: `\`tokeep get\` (bundled, sealing key in a file) of a fresh token out of 100, in turns with Node on an empty file; ${rounds} rounds,
medians. The first \`get\` has noted that the configuration is known, as any pass does.`,
  async run(tell) {
    await using released = await bundle();
    await using directory = await freshState(100);
    await using nothing = await directoryOn('memory');
    const empty = join(nothing.path, 'empty.js');
    await writeFile(empty, '');
    const { config, state, env } = placesIn(directory.path);
    const args = [released.program, 'get', 'ce7', '--config', config, '--state', state];
    const timed = async (program: readonly string[]) => {
      const begun = performance.now();
      const printed = await outputOf(program, { env: { ...process.env, ...env } });
      return { took: performance.now() - begun, printed };
    };
    // A file that was written just now is not trusted to be known.
    await sleep(2_500);
    await timed(args);
    const times = { get: [] as number[], empty: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.empty.push((await timed([empty])).took);
      const got = await timed(args);
      if (!got.printed.startsWith('ey')) throw new Error('get printed no token');
      times.get.push(got.took);
    }
    tell(`${rounds} rounds`);
    const [ours, theirs] = [median(times.get), median(times.empty)];
    return [
      {
        what: 'get, compared to an empty program',
        measured: ours / theirs,
        unit: '×',
        must: { be: 'at most', value: 2.5 },
      },
      { what: 'get', measured: ours, unit: 'ms' },
      { what: 'an empty program', measured: theirs, unit: 'ms' },
    ];
  },
};
