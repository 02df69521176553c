import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { realFiles as inThreads, localFiles } from '../../src/world/real-files.ts';

const scratch = async () => {
  const path = await mkdtemp(join(tmpdir(), 'tokeep-files-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

for (const [name, realFiles] of Object.entries({ inThreads, localFiles })) {
  test(`${name}: every missing directory on the way is made with the mode, and one that is there is fine`, async () => {
    await using place = await scratch();
    const path = `${place.path}/a/b/c`;
    await Promise.all([realFiles.makeDirectories(path, 0o700), realFiles.makeDirectories(`${path}/`, 0o700)]);
    await realFiles.makeDirectories(path, 0o700);
    for (const each of [`${place.path}/a`, `${place.path}/a/b`, path]) {
      assert.equal((await stat(each)).mode & 0o7777, 0o700);
    }
  });

  test(`${name}: a directory that cannot be made is a fault of the system, also where the parent takes nothing`, async () => {
    await using place = await scratch();
    await writeFile(`${place.path}/file`, '');
    await symlink(`${place.path}/nowhere`, `${place.path}/link`);
    await assert.rejects(realFiles.makeDirectories('/proc/self/tokeep/state', 0o700), { code: 'ENOENT' });
    await assert.rejects(realFiles.makeDirectories(`${place.path}/file`, 0o700), { code: 'EEXIST' });
    await assert.rejects(realFiles.makeDirectories(`${place.path}/file/below`, 0o700), { code: 'ENOTDIR' });
    await assert.rejects(realFiles.makeDirectories(`${place.path}/link/below`, 0o700), { code: 'ENOENT' });
  });

  test(`${name}: a directory below a held one is that one, whatever its path says meanwhile, and a link is never entered`, async () => {
    await using place = await scratch();
    const path = `${place.path}/a`;
    await realFiles.makeDirectories(`${path}/b`, 0o700);
    await symlink('b', `${path}/link`);
    const held = await realFiles.openDirectory(path, 'pass');
    await rename(path, `${place.path}/aside`);
    const below = await held.openDirectory('b', 'list');
    try {
      assert.equal(below.path, `${path}/b`);
      assert.equal((await below.facts()).inode, (await realFiles.look(`${place.path}/aside/b`))?.inode);
      assert.deepEqual(await below.list(), []);
      await below.sync();
      assert.equal(await held.readLink('link'), 'b');
      await assert.rejects(held.openDirectory('link', 'pass'), { code: 'ENOTDIR' });
      await assert.rejects(held.openDirectory('none', 'list'), { code: 'ENOENT' });
      await assert.rejects(held.openDirectory('..', 'list'), TypeError);
    } finally {
      await below.close();
      await held.close();
    }
  });
}
