import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type FaultStep, faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { createFile, type NewContent, replaceFile } from '../../src/world/replace-file.ts';

async function stage(t: TestContext, plan: readonly FaultStep[] = []) {
  const path = mkdtempSync(join(tmpdir(), 'replace-'));
  t.after(() => rmSync(path, { recursive: true }));
  const directory = await faultyFiles(realFiles, plan).openDirectory(path);
  t.after(() => directory.close());
  return { path: join(path, 'a'), directory, names: () => readdirSync(path) };
}

const content = (more: Partial<NewContent> = {}): NewContent => ({
  bytes: Buffer.from('new'),
  temporary: '.a.temporary',
  mode: 0o640,
  keeps: 'durable',
  ...more,
});

test('a file is replaced whole: owner before mode, mode before content, synced, renamed, the directory synced', async (t) => {
  const order: string[] = [];
  const note = (op: FaultStep['op']): FaultStep => ({ op, meanwhile: () => void order.push(op) });
  const { path, directory, names } = await stage(t, (['write', 'sync', 'rename', 'syncDirectory'] as const).map(note));
  const dress: NewContent['dress'] = async (file) => {
    order.push('dress');
    assert.equal((await file.facts()).mode, 0o600);
  };
  await replaceFile(directory, 'a', content({ dress }));
  assert.deepEqual(order, ['dress', 'write', 'sync', 'rename', 'syncDirectory']);
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.equal(lstatSync(path).mode & 0o777, 0o640);
  assert.deepEqual(names(), ['a']);
  order.length = 0;
  await replaceFile(directory, 'a', content({ keeps: 'whole' }));
  assert.deepEqual(order, []);
});

const fails = async () => {
  throw Object.assign(new Error('no'), { code: 'EPERM' });
};
for (const [what, plan, more, code] of [
  ['a write', [{ op: 'write', code: 'EIO' }], {}, 'EIO'],
  ['a write that makes no progress', [{ op: 'write', short: 0 }], {}, 'ENOSPC'],
  ['the sync', [{ op: 'sync', code: 'EIO' }], {}, 'EIO'],
  ['the rename', [{ op: 'rename', code: 'EIO' }], {}, 'EIO'],
  ['the change of owner', [], { dress: fails }, 'EPERM'],
  ['the last look', [], { check: fails }, 'EPERM'],
] as const) {
  test(`when ${what} fails the old file is untouched and nothing else stays`, async (t) => {
    const { path, directory, names } = await stage(t, plan);
    writeFileSync(path, 'old');
    await assert.rejects(replaceFile(directory, 'a', content(more)), { code });
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(names(), ['a']);
  });
}

test('a file that is made is for its owner only, never over another, and not there when it could not be written', async (t) => {
  const { path, directory, names } = await stage(t, [
    { op: 'write', short: 2 },
    { op: 'write', path: '/b', code: 'EIO' },
  ]);
  await createFile(directory, 'a', Buffer.from('first'));
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  await assert.rejects(createFile(directory, 'b', Buffer.from('second')), { code: 'EIO' });
  await assert.rejects(createFile(directory, 'a', Buffer.from('third')), { code: 'EEXIST' });
  assert.equal(readFileSync(path, 'utf8'), 'first');
  assert.deepEqual(names(), ['a']);
});
