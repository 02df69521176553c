import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesEnding, root, textOf } from './pages.ts';

const page = textOf('docs/architecture.md');
const built = page.split('## Later steps')[0] ?? '';
const code = filesEnding('.ts')
  .filter((file) => file.startsWith('src/'))
  .map(textOf)
  .join('\n');

interface Rule {
  readonly name: string;
  readonly to: { readonly pathNot?: string };
}
const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
  readonly forbidden: readonly Rule[];
};

test('the table of rooms has each room of the source, and each has its arrows and a page of its own', () => {
  const described = [...page.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, room = '']) => room);
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  assert.deepEqual(described.toSorted(), rooms);
  for (const room of rooms) {
    assert.ok(
      forbidden.some(({ name }) => name === `${room}-arrows`),
      `no arrows for ${room}`,
    );
    assert.ok(existsSync(join(root, 'src', room, 'README.md')), `no page in src/${room}`);
  }
});

test('the types and ports that the page names are declared', () => {
  const named = [...built.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, name = '']) => name);
  assert.ok(named.length > 15);
  for (const name of new Set(named)) assert.match(code, new RegExp(`(?:interface|class|type) ${name}\\b`), name);
});
