import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { directoryOn } from './directory.ts';
import { placesIn, writeConfig } from './engine-in.ts';
import { type Figure, median, type Section } from './figure.ts';
import { issuerIn, makeIssuer } from './own-issuer.ts';
import type { PassTold } from './pass-program.ts';
import { outputOf } from './programs.ts';

/** As many as the OSPool has. */
const entrypoints = 137;
const rounds = 5;

export const computeEntrypoints: Section = {
  name: 'compute-entrypoints',
  title: 'A token for each compute entrypoint',
  how: `One pass over ${entrypoints} wishes of an account that signs itself (\`signing_key\`), none of which has a token yet: policy, a line in
the audit log, signature, record, and a file of its own for each; a process of its own, bundled. The start reads the configuration and
opens the state. Medians of ${rounds} rounds, each on an empty state.`,
  async run(tell) {
    await using released = await bundle('bench/pass-program.ts');
    return [...(await passes(released.program, 'disk', tell)), ...(await passes(released.program, 'memory', tell))];
  },
};

async function passes(
  program: string,
  medium: 'memory' | 'disk',
  tell: (progress: string) => void,
): Promise<readonly Figure[]> {
  await using directory = await directoryOn(medium);
  const { path } = directory;
  await (await makeIssuer(path)).close();
  const rows = Array.from({ length: entrypoints }, (_, n) => ({ name: `ce${n}`, host: `ce${n}.example.org` }));
  await writeFile(join(path, 'rows.json'), JSON.stringify(rows), { mode: 0o600 });
  await writeConfig(path, configFor(issuerIn(path)), 'none');
  const told: (PassTold & { readonly whole: number })[] = [];
  for (let round = 0; round < rounds; round++) {
    await rm(placesIn(path).state, { recursive: true, force: true });
    const begun = performance.now();
    const one = JSON.parse(await outputOf([program, path])) as PassTold;
    const whole = (performance.now() - begun) / 1000;
    if (one.due !== entrypoints || one.renewed !== entrypoints) throw new Error(`not all were: ${JSON.stringify(one)}`);
    tell(`${medium}: pass ${one.pass.toFixed(2)} s, start ${one.started.toFixed(2)} s`);
    told.push({ ...one, whole });
  }
  const middle = (what: (one: (typeof told)[number]) => number) => median(told.map(what));
  const where = medium === 'disk' ? 'on disk' : 'in memory';
  return [
    {
      what: `the pass, from the start on; ${where}`,
      measured: middle(({ pass }) => pass),
      unit: 's',
      must: { be: 'at most', value: 0.5 },
    },
    { what: `the start; ${where}`, measured: middle(({ started }) => started), unit: 's' },
    { what: `the whole process; ${where}`, measured: middle(({ whole }) => whole), unit: 's' },
  ];
}

const configFor = (keys: string): string => `
accounts:
  pool: { grant: signing_key, keys: "${keys}" }
tokens:
  "{name}":
    for_each: { file: DIR/rows.json }
    account: pool
    subject: "pilot-{name}"
    audience: "{host}:9619"
    scope: [compute.read, compute.modify, compute.create, compute.cancel]
    lifetime: 1h
    deliver: [{ file: "DIR/targets/{name}" }]
`;
