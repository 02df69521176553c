import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesEnding, root, textOf } from './pages.ts';

const file = 'docs/requirements.md';
const page = textOf(file);

/** `| VER-01 | what is demanded | tests, or why there are none |` */
const rows = [...page.matchAll(/^\| ([A-Z]{3}-\d\d) \| (.+?) \| (.*?) ?\|$/gm)].map(
  ([, id = '', demand = '', tests = '']) => ({
    id,
    demand,
    tests,
  }),
);

interface Named {
  readonly ids: readonly string[];
  readonly name: string;
}

/** The names of tests that begin with the ids of what they show: `VER-01, VER-02: the algorithm …`. */
function named(): readonly Named[] {
  const files = filesEnding('.ts').filter((path) => path.startsWith('test/') && !path.startsWith('test/docs/'));
  const quoted = /\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\]|\\.)*)")/g;
  return files.flatMap((path) =>
    [...textOf(path).matchAll(quoted)].flatMap(([, single, template, double]) => {
      const name = single ?? template ?? double ?? '';
      const [, ids] = /^(?:scenarios? [\d, and]+: )?((?:[A-Z]{3}-\d\d(?:, | and )?)+): /.exec(name) ?? [];
      return ids === undefined ? [] : [{ ids: ids.split(/, | and /), name: plain(name, ids) }];
    }),
  );
}

/** Without the ids, and with `…` where a name is put together at run time. */
const plain = (name: string, ids: string): string =>
  name
    .replace(`${ids}: `, '')
    .replaceAll(/\$\{[^}]*\}/g, '…')
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll('|', String.raw`\|`)
    .trim();

const tests = named();
const testsOf = (id: string): readonly string[] => [
  ...new Set(tests.filter(({ ids }) => ids.includes(id)).map(({ name }) => name)),
];

if (process.env['TOKEEP_WRITE_DOCS'] === '1') {
  const written = page.replaceAll(
    /^\| ([A-Z]{3}-\d\d) \| (.+?) \| (.*?) ?\|$/gm,
    (whole, id: string, demand: string) => {
      const found = testsOf(id);
      return found.length === 0 ? whole : `| ${id} | ${demand} | ${found.join(' · ')} |`;
    },
  );
  writeFileSync(join(root, file), written);
} else {
  test('each requirement has the tests that name it, word for word, or says why there are none', () => {
    assert.ok(rows.length >= 30);
    for (const { id, tests: told } of rows) {
      const found = testsOf(id);
      if (found.length > 0) assert.equal(told, found.join(' · '), `${id}; write it with: npm run -s docs`);
      else assert.match(told, /^(later|not here): /, id);
    }
  });

  test('each requirement that a test names stands in the table', () => {
    const known = new Set(rows.map(({ id }) => id));
    assert.deepEqual(
      [...new Set(tests.flatMap(({ ids }) => ids))].filter((id) => !known.has(id)),
      [],
    );
  });
}
