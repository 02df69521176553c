import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { realFiles } from '../../src/world/real-files.ts';

const scratch = async () => {
  const path = await mkdtemp(join(tmpdir(), 'tokeep-files-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

test('every missing directory on the way is made with the mode, and one that is there is fine', async () => {
  await using place = await scratch();
  const path = `${place.path}/a/b/c`;
  await Promise.all([realFiles.makeDirectories(path, 0o700), realFiles.makeDirectories(`${path}/`, 0o700)]);
  await realFiles.makeDirectories(path, 0o700);
  for (const each of [`${place.path}/a`, `${place.path}/a/b`, path]) {
    assert.equal((await stat(each)).mode & 0o7777, 0o700);
  }
});

test('a directory that cannot be made is a fault of the system, also where the parent takes nothing', async () => {
  await using place = await scratch();
  await writeFile(`${place.path}/file`, '');
  await symlink(`${place.path}/nowhere`, `${place.path}/link`);
  await assert.rejects(realFiles.makeDirectories('/proc/self/tokeep/state', 0o700), { code: 'ENOENT' });
  await assert.rejects(realFiles.makeDirectories(`${place.path}/file`, 0o700), { code: 'EEXIST' });
  await assert.rejects(realFiles.makeDirectories(`${place.path}/file/below`, 0o700), { code: 'ENOTDIR' });
  await assert.rejects(realFiles.makeDirectories(`${place.path}/link/below`, 0o700), { code: 'ENOENT' });
});
