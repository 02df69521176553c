import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Figure, judgementOf, type Section, shownMeasured, shownMust } from './figure.ts';

export interface Measured {
  readonly section: Section;
  readonly figures: readonly Figure[];
}

const page = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));

/** Writes docs/benchmarks.md: what was measured, where and when. */
export async function writeReport(measured: readonly Measured[]): Promise<void> {
  const load = (loadavg()[1] ?? 0).toFixed(1);
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.versions.node}`;
  const day = new Date().toISOString().slice(0, 10);
  await writeFile(
    page,
    `# Benchmarks

<!-- Made by \`npm run bench -- --write\`. Do not edit by hand. -->

Measured on ${day} on ${machine} (load over five minutes at the end: ${load}) by

    npm run bench -- --write

Other programs shared the machine, so what counts are ratios: the two sides are measured in turns, in one run, and the medians of
the rounds are given. How each is done stands in \`bench/README.md\`.

${measured.map(partOf).join('\n')}`,
  );
}

function partOf({ section, figures }: Measured): string {
  const row = (figure: Figure) =>
    `| ${figure.what} | ${shownMeasured(figure)} | ${shownMust(figure)} | ${judgementOf(figure)} |`;
  return `## ${section.title}

${section.how}

| | measured | must reach | |
|---|---|---|---|
${figures.map(row).join('\n')}
`;
}
