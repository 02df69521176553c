import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { buildProgram } from '../../src/cli/program.ts';
import { pages, textOf } from './pages.ts';

const program = await buildProgram(() => async () => {}, { kind: 'all' });

/** What stands after a program's name in code, up to the end of the line or of the code. */
function linesAfter(name: string, markdown: string): readonly string[] {
  const inCode = [...markdown.matchAll(new RegExp(`\`(?:npm run -s )?${name} ([^\`]+)\``, 'g'))];
  const inBlocks = [...markdown.matchAll(new RegExp(`^ *(?:\\$ |    )(?:sudo |runuser .*? -- )?${name} (.+)$`, 'gm'))];
  return [...inCode, ...inBlocks].map(([, rest = '']) => rest);
}

/** The words of a line that could be commands, with global options and their values left out. */
function wordsOf(line: string): readonly string[] {
  return line
    .replaceAll(/--(config|state) \S+/g, '')
    .split(/[\s;|]+/)
    .filter((word) => /^[a-z][a-z-]*$/.test(word));
}

/** The command that the first words name, down to the last word that names one; undefined if there is none of that name. */
function commandOf(words: readonly string[], above: Command = program): Command | undefined {
  const [word, ...rest] = words;
  const found = above.commands.find((command) => command.name() === word);
  if (found !== undefined) return found.commands.length === 0 ? found : commandOf(rest, found);
  // A page may speak of a group of commands as a whole, but not of one that is not in it.
  return above !== program && word === undefined ? above : undefined;
}

for (const page of pages()) {
  const lines = linesAfter('tokeep', textOf(page)).filter((line) => /[a-z]/.test(line) && !line.startsWith('--'));
  if (lines.length === 0) continue;
  test(`the commands and options that ${page} names exist`, () => {
    for (const line of lines) {
      const command = commandOf(wordsOf(line));
      assert.ok(command !== undefined, `tokeep ${line}`);
      const known = [...program.options, ...command.options].map(({ long }) => long);
      const own = line.split(' -- ')[0]?.split('|')[0] ?? '';
      for (const [option] of own.matchAll(/--[a-z][a-z-]*/g)) assert.ok(known.includes(option), `tokeep ${line}`);
    }
  });
}

test('the scripts that pages tell npm to run exist', () => {
  const scripts = new Set(Object.keys(manifest.scripts));
  for (const page of pages()) {
    for (const [, name = ''] of textOf(page).matchAll(/npm run (?:-s )?([a-z:]+)/g))
      assert.ok(scripts.has(name), `${page}: npm run ${name}`);
  }
});
