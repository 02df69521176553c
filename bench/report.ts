import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Figure, judgementOf, type Section, shownMeasured, shownMust } from './figure.ts';

export interface Measured {
  readonly section: Section;
  readonly figures: readonly Figure[];
}

const page = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));

/**
 * Writes what was measured into docs/benchmarks.md, and when; sections that were not measured this time stay as they are. All of
 * them in the order of `sections`.
 */
export async function writeReport(measured: readonly Measured[], sections: readonly Section[]): Promise<void> {
  const before = await readFile(page, 'utf8').catch(() => '');
  const parts = sections.map((section) => {
    const fresh = measured.find((one) => one.section === section);
    return fresh === undefined ? kept(before, section) : partOf(fresh);
  });
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.versions.node}`;
  await writeFile(
    page,
    `# Benchmarks

<!-- Made by \`npm run bench -- --write\`. Do not edit by hand. -->

Measured on ${machine} by

    npm run bench -- --write

Other programs shared the machine, so what counts are ratios: the two sides are measured in turns, in one run. How each is done
stands in \`bench/README.md\`; each section says when it was measured, and how busy the machine was.

${parts.filter((part) => part !== undefined).join('\n')}`,
  );
}

/** A section of the page as it is, without the line end that separates it from the next. */
function kept(page: string, { title }: Section): string | undefined {
  const [, ...parts] = page.split(/^(?=## )/m);
  const part = parts.find((one) => one.startsWith(`## ${title}\n`));
  return part === undefined ? undefined : `${part.trimEnd()}\n`;
}

function partOf({ section, figures }: Measured): string {
  const row = (figure: Figure) =>
    `| ${figure.what} | ${shownMeasured(figure)} | ${shownMust(figure)} | ${judgementOf(figure)} |`;
  const load = (loadavg()[1] ?? 0).toFixed(1);
  const day = new Date().toISOString().slice(0, 10);
  return `## ${section.title}

${section.how}

Measured on ${day}; load over five minutes at the end: ${load}.

| | measured | must reach | |
|---|---|---|---|
${figures.map(row).join('\n')}
`;
}
