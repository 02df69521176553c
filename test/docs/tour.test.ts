import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesEnding, root, textOf } from './pages.ts';

const tour = textOf('docs/tour.md');

test('every file that the tour names exists', () => {
  for (const [, path = ''] of tour.matchAll(/`((?:src|bin|docs)\/[^`\s]+)`/g))
    assert.ok(existsSync(join(root, path)), path);
});

test('every function that the tour names with its file is declared in that file', () => {
  const named = [...tour.matchAll(/`(\w+)(?:\(\))?` in\s+`(src\/[^`]+)`/g)];
  assert.ok(named.length > 20);
  for (const [, name = '', path = ''] of named) {
    assert.match(textOf(path), new RegExp(`(?:function|class|const|interface) ${name}\\b`), `${name} in ${path}`);
  }
});

test('every other function that the tour names exists somewhere', () => {
  const code = filesEnding('.ts')
    .filter((file) => file.startsWith('src/'))
    .map(textOf)
    .join('\n');
  for (const [, name = ''] of tour.matchAll(/`(\w+)\(\)`/g))
    assert.match(code, new RegExp(`function\\*? ${name}\\b`), name);
});
