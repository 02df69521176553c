import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { TreeDirectory, TreeStamp, UnreadableDirectory } from '../../src/world/file-trees.ts';
import { realFileTrees } from '../../src/world/real-file-trees.ts';

function scratch(t: TestContext): string {
  const root = mkdtempSync(`${tmpdir()}/trees-`);
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}
const wanted = { isWanted: (name: string) => name.endsWith('.top'), limit: 10 };

async function read(root: string, names: readonly string[]) {
  const found = new Map<string, TreeDirectory | UnreadableDirectory | undefined>();
  await realFileTrees.read(root, names, wanted, (name, directory) => found.set(name, directory));
  return found;
}
async function stampOf(root: string, name: string): Promise<TreeStamp | undefined> {
  let found: TreeStamp | undefined;
  await realFileTrees.stamps(root, [name], (_, stamp) => {
    found = stamp;
  });
  return found;
}

test('wanted files come with their content, all others with their names', async (t) => {
  const root = scratch(t);
  mkdirSync(`${root}/a`);
  writeFileSync(`${root}/a/x.top`, '0123456789');
  writeFileSync(`${root}/a/y.top`, '0123456789a');
  writeFileSync(`${root}/a/z.use`, 'z');
  const a = (await read(root, ['a'])).get('a');
  assert.ok(a !== undefined && 'names' in a);
  assert.deepEqual([...a.names].sort(), ['x.top', 'y.top', 'z.use']);
  const contents = a.files.map(({ name, content }) => [
    name,
    content.kind === 'bytes' ? `${content.bytes}` : content.kind,
  ]);
  assert.deepEqual(contents.sort(), [
    ['x.top', '0123456789'],
    ['y.top', 'too-large'],
  ]);
});

test('what is gone, a link or a file in place of a directory is visited as undefined, in the order asked', async (t) => {
  const root = scratch(t);
  mkdirSync(`${root}/real`);
  symlinkSync('real', `${root}/link`);
  writeFileSync(`${root}/file`, '');
  const found = await read(root, ['none', 'link', 'real', 'file']);
  assert.deepEqual(
    [...found].map(([name, directory]) => [name, directory === undefined]),
    [
      ['none', true],
      ['link', true],
      ['real', false],
      ['file', true],
    ],
  );
  await assert.rejects(read(`${root}/none`, []), { code: 'ENOENT' });
  await assert.rejects(read(`${root}/link`, []), { code: 'ENOTDIR' });
});

test('types are told without following links', async (t) => {
  const root = scratch(t);
  mkdirSync(`${root}/directory`);
  symlinkSync('directory', `${root}/link`);
  writeFileSync(`${root}/file`, '');
  const names = await realFileTrees.names(root);
  assert.deepEqual(
    names.filter(({ isDirectory }) => isDirectory).map(({ name }) => name),
    ['directory'],
  );
  assert.equal(names.length, 3);
});

test('a stamp tells of a new name, and of a directory that was made anew under the same name', async (t) => {
  const root = scratch(t);
  assert.equal(await stampOf(root, 'a'), undefined);
  mkdirSync(`${root}/a`);
  const first = await stampOf(root, 'a');
  assert.deepEqual(await stampOf(root, 'a'), first);
  writeFileSync(`${root}/a/x`, '');
  const second = await stampOf(root, 'a');
  assert.equal(second?.identity, first?.identity);
  assert.notEqual(second?.modifiedAt, first?.modifiedAt);
  rmSync(`${root}/a`, { recursive: true });
  mkdirSync(`${root}/a`);
  assert.notEqual((await stampOf(root, 'a'))?.identity, first?.identity);
  writeFileSync(`${root}/file`, '');
  assert.equal((await stampOf(root, 'file'))?.isDirectory, false);
});

test('the event loop is let in while a large tree is read', async (t) => {
  const root = scratch(t);
  const names = Array.from({ length: 3_000 }, (_, n) => `d${n}`);
  for (const name of names) {
    mkdirSync(`${root}/${name}`);
    writeFileSync(`${root}/${name}/x.top`, 'x');
  }
  let turns = 0;
  let done = false;
  const turn = () => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const found = await read(root, names);
  done = true;
  assert.equal(found.size, 3_000);
  assert.ok(turns > 2, `${turns} turns`);
});
