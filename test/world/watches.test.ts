import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { realWatches } from '../../src/world/real-watches.ts';

function watching(t: TestContext) {
  const root = mkdtempSync(`${tmpdir()}/watches-`);
  const events: string[] = [];
  const watch = realWatches.open((directory, name) => events.push(`${directory.slice(root.length)}/${name}`));
  t.after(() => {
    watch.close();
    rmSync(root, { recursive: true, force: true });
  });
  assert.equal(watch.add(root), 'watched');
  /** What was told until now, each once, without the files of `settled`. */
  const told = async () => {
    assert.ok(await watch.settled(root));
    return [...new Set(events.splice(0))].filter((event) => !event.startsWith('/.watch')).sort();
  };
  return { root, watch, told };
}

test('what happened in several directories is told by the time it is settled', async (t) => {
  const { root, watch, told } = watching(t);
  for (const name of ['a', 'b', 'c']) mkdirSync(`${root}/${name}`);
  for (const name of ['a', 'b']) assert.equal(watch.add(`${root}/${name}`), 'watched');
  await told();
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(`${root}/${name}/x.tmp`, 'x');
    renameSync(`${root}/${name}/x.tmp`, `${root}/${name}/x`);
  }
  assert.deepEqual(await told(), ['/a/x', '/a/x.tmp', '/b/x', '/b/x.tmp']);
  watch.drop(`${root}/a`);
  writeFileSync(`${root}/a/y`, '');
  assert.deepEqual(await told(), []);
});

test('a directory that goes is told by an event without a name, and can be watched anew', async (t) => {
  const { root, watch, told } = watching(t);
  mkdirSync(`${root}/a`);
  watch.add(`${root}/a`);
  await told();
  rmSync(`${root}/a`, { recursive: true });
  assert.deepEqual(await told(), ['/a', '/a/']);
  mkdirSync(`${root}/a`);
  assert.equal(watch.add(`${root}/a`), 'watched');
  await told();
  writeFileSync(`${root}/a/x`, '');
  assert.deepEqual(await told(), ['/a/x']);
});

test('what is not there, a link or a file cannot be watched', (t) => {
  const { root, watch } = watching(t);
  mkdirSync(`${root}/a`);
  symlinkSync('a', `${root}/link`);
  writeFileSync(`${root}/file`, '');
  for (const name of ['none', 'link', 'file']) assert.equal(watch.add(`${root}/${name}`), 'gone', name);
});

test('nothing is settled in a directory that is not watched, or that went', async (t) => {
  const { root, watch, told } = watching(t);
  assert.equal(await watch.settled(`${root}/other`), false);
  mkdirSync(`${root}/a`);
  watch.add(`${root}/a`);
  assert.equal(await watch.settled(`${root}/a`), true);
  rmSync(`${root}/a`, { recursive: true });
  assert.equal(await watch.settled(`${root}/a`), false);
  assert.deepEqual((await told()).includes('/a'), true);
});
