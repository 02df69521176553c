import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { anchorsOf, filesEnding, pages, proseOf, root, textOf } from './pages.ts';

for (const page of pages()) {
  test(`every link of ${page} leads somewhere`, () => {
    for (const [, link = ''] of proseOf(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      assert.ok(existsSync(join(root, target)), `${link}: there is no ${target}`);
      if (anchor === undefined) continue;
      assert.ok(anchorsOf(textOf(target)).has(anchor), `${link}: ${target} has no such heading`);
    }
  });
}

test('comments of the code name only pages that exist', () => {
  const lost: string[] = [];
  for (const file of filesEnding('.ts')) {
    for (const [named] of textOf(file).matchAll(/\b(?:docs\/[\w-]+|SECURITY|README|CONTRIBUTING)\.md\b/g)) {
      const beside = join(dirname(file), named);
      if (!existsSync(join(root, named)) && !existsSync(join(root, beside))) lost.push(`${file}: ${named}`);
    }
  }
  assert.deepEqual(lost, []);
});
