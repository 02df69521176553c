import { bundle } from './bundle.ts';
import { median, type Section } from './figure.ts';
import { freshState } from './fresh-state.ts';
import type { PassTold } from './pass-program.ts';
import { outputOf } from './programs.ts';

const wishes = 10_000;
const rounds = 5;

export const freshPass: Section = {
  name: 'fresh-pass',
  title: 'A pass with nothing to do',
  how: `One pass over ${wishes} fresh wishes of one \`for_each\`, each with a file whose content is looked at; a process of its own,
bundled, in memory. The start reads the configuration and opens the state. Medians of ${rounds} rounds.`,
  async run(tell) {
    await using released = await bundle('bench/pass-program.ts');
    await using directory = await freshState(wishes);
    const told: (PassTold & { readonly whole: number })[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      const one = JSON.parse(await outputOf([released.program, directory.path])) as PassTold;
      if (one.looked !== wishes || one.due !== 0) throw new Error(`not a fresh pass: ${JSON.stringify(one)}`);
      told.push({ ...one, whole: (performance.now() - begun) / 1000 });
      tell(`pass ${one.pass.toFixed(2)} s, start ${one.started.toFixed(2)} s, ${(one.peak / 1e6).toFixed(0)} MB`);
    }
    const middle = (what: (one: (typeof told)[number]) => number) => median(told.map(what));
    return [
      {
        what: 'the pass, from the start on',
        measured: middle(({ pass }) => pass),
        unit: 's',
        must: { be: 'at most', value: 1 },
      },
      {
        what: 'most memory',
        measured: middle(({ peak }) => peak / 1e6),
        unit: 'MB',
        must: { be: 'at most', value: 200 },
      },
      { what: 'the start', measured: middle(({ started }) => started), unit: 's' },
      { what: 'the whole process', measured: middle(({ whole }) => whole), unit: 's' },
    ];
  },
};
