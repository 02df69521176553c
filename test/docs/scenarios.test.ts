import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesEnding, textOf } from './pages.ts';

interface Row {
  readonly number: number;
  readonly does: string;
  readonly tests: string;
}

const table = textOf('docs/reliability.md').split('<!-- scenarios -->')[1] ?? '';
const rows: readonly Row[] = [...table.matchAll(/^\| (\d+) \| (.+?) \| (.*?) ?\| (.+?) \|$/gm)].map(
  ([, number, , does = '', tests = '']) => ({ number: Number(number), does, tests }),
);

/** The numbers that test names claim: `scenario 6: …`, `scenarios 18 and 19: …`, `scenarios 1 to 3: …`. */
function claimed(): ReadonlySet<number> {
  const found = new Set<number>();
  const ours = filesEnding('.test.ts').filter((file) => !file.startsWith('test/docs/'));
  const shared = filesEnding('-contract.ts').filter((file) => file.startsWith('test/'));
  for (const file of [...ours, ...shared]) {
    for (const [, list = ''] of textOf(file).matchAll(/scenarios? (\d+(?:(?:, | and | to )\d+)*)/g)) {
      const [first = 0, last = 0] = list.split(' to ').map(Number);
      if (list.includes(' to ')) for (let n = first; n <= last; n += 1) found.add(n);
      else for (const n of list.split(/, | and /)) found.add(Number(n));
    }
  }
  return found;
}

test('the table has the scenarios each once and in order', () => {
  assert.deepEqual(
    rows.map(({ number }) => number),
    Array.from({ length: 51 }, (_, n) => n + 1),
  );
});

test('each scenario is tested, partly, or comes later; what is tested says what tokeep does', () => {
  for (const { number, does, tests } of rows) {
    assert.match(tests, /^(yes|partly|later)$/, `scenario ${number}`);
    assert.equal(does === '', tests === 'later', `scenario ${number}`);
  }
});

test('each scenario that the table calls tested has a test that names it', () => {
  const tested = claimed();
  const missing = rows.filter(({ number, tests }) => tests !== 'later' && !tested.has(number));
  assert.deepEqual(
    missing.map(({ number }) => number),
    [],
  );
});

test('each scenario that a test names stands in the table as tested', () => {
  const known = new Set(rows.filter(({ tests }) => tests !== 'later').map(({ number }) => number));
  assert.deepEqual(
    [...claimed()].filter((number) => !known.has(number)),
    [],
  );
});
