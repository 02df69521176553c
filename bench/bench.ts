import { computeEntrypoints } from './compute-entrypoints.ts';
import { credmonMany } from './credmon.ts';
import { credmonRefresh } from './credmon-refresh.ts';
import { judgementOf, type Section, shownMeasured, shownMust } from './figure.ts';
import { freshPass } from './fresh-pass.ts';
import { get } from './get.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { type Measured, writeReport } from './report.ts';
import { sign } from './sign.ts';
import { silentIssuer } from './silent-issuer.ts';
import { throughput } from './throughput.ts';
import { tokenEndpoint } from './token-endpoint.ts';
import { verify } from './verify.ts';
import { week } from './week.ts';

/** `npm run bench -- [SECTION …] [--write]`: measures, prints, and with `--write` puts the figures into docs/benchmarks.md. */
const sections: readonly Section[] = [
  throughput,
  latency,
  freshPass,
  idle,
  get,
  week,
  verify,
  sign,
  silentIssuer,
  tokenEndpoint,
  computeEntrypoints,
  credmonMany,
  credmonRefresh,
];

const args = process.argv.slice(2);
const named = args.filter((arg) => arg !== '--write');
const unknown = named.filter((name) => !sections.some((section) => section.name === name));
if (unknown.length > 0) {
  console.error(
    `bench: there is no ${unknown.join(', ')}; sections are ${sections.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const measured: Measured[] = [];
for (const section of sections) {
  if (named.length > 0 && !named.includes(section.name)) continue;
  console.log(`\n${section.title} (${section.name})`);
  const figures = await section.run((progress) => void process.stderr.write(`    ${progress}\n`));
  for (const figure of figures) {
    const words = [shownMeasured(figure).padStart(12), shownMust(figure).padEnd(10), judgementOf(figure).padEnd(7)];
    console.log(`${words.join('  ')} ${figure.what}`);
  }
  measured.push({ section, figures });
}
if (args.includes('--write')) await writeReport(measured, sections);
process.exitCode = measured.some(({ figures }) => figures.some((figure) => judgementOf(figure) === 'missed')) ? 1 : 0;
