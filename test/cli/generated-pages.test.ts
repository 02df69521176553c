import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { examplesFor } from '../../src/cli/command.ts';
import { commandTable } from '../../src/cli/command-table.ts';
import { generatedPages } from '../../src/cli/generated-pages.ts';
import { globalOptionTable } from '../../src/cli/global-options.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { faultCodes } from '../../src/fault/codes.ts';

const top = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(resolve(top, path), 'utf8');

for (const { path, text } of await generatedPages()) {
  test(`${path} is what the code says (mend it with: npm run -s docs)`, () => assert.equal(read(path), text));
}

test('docs/errors.md lists the codes of the table, no more and no fewer', () => {
  const documented = [...read('docs/errors.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  assert.deepEqual(documented, Object.keys(faultCodes));
});

test('docs/cli.md has a section for each command of the table, no more and no fewer', () => {
  const documented = [...read('docs/cli.md').matchAll(/^## tokeep (\S+)$/gm)].map(([, name]) => name);
  assert.deepEqual(
    documented,
    commandTable.map(({ name }) => name),
  );
});

test('every command that does something has an example and a description', async () => {
  const program = await buildProgram(() => async () => {}, { kind: 'all' });
  const leaves = (command: typeof program): (typeof program)[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  for (const leaf of leaves(program).filter((command) => command.name() !== 'help')) {
    assert.ok(examplesFor(leaf).length > 0, `${leaf.name()} has no example`);
    assert.notEqual(leaf.description(), '', `${leaf.name()} has no description`);
    for (const { line } of examplesFor(leaf)) assert.match(line, /\b(tokeep|osg-token-renewer)\b/);
  }
});

test('no command has an option under the name of one that every command takes, which would never reach it', async () => {
  const program = await buildProgram(() => async () => {}, { kind: 'all' });
  const all = (command: typeof program): (typeof program)[] => [command, ...command.commands.flatMap(all)];
  const taken = new Set<string | undefined>(globalOptionTable.map(({ long }) => long));
  for (const command of program.commands.flatMap(all)) {
    assert.deepEqual(
      command.options.map(({ long }) => long).filter((long) => taken.has(long)),
      [],
      command.name(),
    );
  }
});
