import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { realFiles } from '../../src/world/real-files.ts';
import { volatileFiles } from '../../src/world/volatile-files.ts';

async function bed() {
  const path = mkdtempSync(join(tmpdir(), 'tokeep-files-'));
  const { files, cut } = volatileFiles(realFiles);
  const directory = await files.openDirectory(path);
  const write = async (name: string, text: string, sync: 'synced' | 'not synced') => {
    const file = await directory.createExclusive(name, 0o600);
    await file.write(Buffer.from(text));
    if (sync === 'synced') await file.sync();
    await file.close();
  };
  return { path, directory, cut, write };
}

test('a power cut empties what was not synced, under the name it has now', async () => {
  const { path, directory, cut, write } = await bed();
  await write('safe', 'safe', 'synced');
  await write('draft', 'lost', 'not synced');
  await directory.rename('draft', 'final');
  await cut('data');
  assert.equal(readFileSync(join(path, 'safe'), 'utf8'), 'safe');
  assert.equal(readFileSync(join(path, 'final'), 'utf8'), '');
});

test('a power cut takes back renames and creations of a directory that was not synced', async () => {
  const { path, directory, cut, write } = await bed();
  await write('kept', 'old', 'synced');
  await directory.sync();
  await write('draft', 'new', 'synced');
  await directory.rename('draft', 'kept');
  assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'new');
  await cut('names');
  assert.deepEqual(readdirSync(path), ['kept']);
  assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'old');
});

test('what was synced, file and directory, outlives both', async () => {
  const { path, directory, cut, write } = await bed();
  await write('draft', 'new', 'synced');
  await directory.rename('draft', 'final');
  await directory.sync();
  await cut('names');
  await cut('data');
  assert.deepEqual(readdirSync(path), ['final']);
  assert.equal(readFileSync(join(path, 'final'), 'utf8'), 'new');
});
