import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { prepareStateDir } from '../../src/store/state-dir.ts';
import { faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { freshDirectory } from './samples.ts';

const world = realWorld();

async function refusal(path: string, asked: World = world): Promise<Fault> {
  try {
    await prepareStateDir(asked, path);
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'state-unsafe', String(thrown));
    assert.ok(thrown.message.includes(path));
    assert.ok(thrown.hint?.includes(path) || thrown.hint?.includes('--state'));
    return thrown;
  }
  throw new assert.AssertionError({ message: 'it was accepted' });
}

test('scenario 15: a missing state directory is made 0700, whatever the umask, and is fine the next time', async () => {
  const path = join(freshDirectory(), 'deep', 'down');
  const before = process.umask(0);
  await prepareStateDir(world, path);
  process.umask(before);
  assert.equal(statSync(path).mode & 0o7777, 0o700);
  await prepareStateDir(world, path);
});

test('scenario 15: wider modes are refused with what was found and the command that mends it', async () => {
  for (const [mode, found] of [
    [0o770, '0770'],
    [0o755, '0755'],
    [0o1777, '01777'],
    [0o500, '0500'],
  ] as const) {
    const path = freshDirectory();
    mkdirSync(path);
    chmodSync(path, mode);
    const fault = await refusal(path);
    assert.ok(fault.message.includes(`expected mode 0700, found mode ${found}`), fault.message);
    assert.equal(fault.hint, `chmod 0700 ${path}`);
  }
});

test('scenario 15: a symbolic link and a file are refused, even if the link leads to a good place', async () => {
  const good = freshDirectory();
  await prepareStateDir(world, good);
  symlinkSync(good, `${good}-link`);
  assert.match((await refusal(`${good}-link`)).message, /found a symbolic link/);
  writeFileSync(`${good}-file`, '');
  assert.match((await refusal(`${good}-file`)).message, /found a file/);
});

test('scenario 15: a directory of another user is refused', async () => {
  const path = freshDirectory();
  mkdirSync(path, { mode: 0o700 });
  const stranger = { ...world, user: { ...world.user, uid: world.user.uid + 1 } };
  const fault = await refusal(path, stranger);
  assert.ok(fault.message.includes(`expected owner ${stranger.user.uid}, found owner ${world.user.uid}`));
  if (world.user.uid === 0) {
    chownSync(path, 1, 1);
    assert.match((await refusal(path)).message, /found owner 1/);
  }
});

test('scenario 15: a directory that takes no file is refused before anything is spent', async () => {
  for (const code of ['EROFS', 'ENOSPC', 'EACCES']) {
    const path = freshDirectory();
    const files = faultyFiles(realFiles, [{ op: 'createExclusive', code }]);
    assert.match(
      (await refusal(path, { ...world, files })).message,
      new RegExp(`cannot be written to: (the|we) [\\w -]+ \\(${code}\\)`),
    );
  }
});

test('a network file system is refused by its name, a FUSE or local one is not', async () => {
  const path = freshDirectory();
  for (const [type, name] of [
    [0x6969, 'NFS'],
    [-11317950, 'CIFS'],
    [0xfe534d42, 'SMB2'],
    [0x0bd00bd0, 'Lustre'],
  ] as const) {
    const files = { ...realFiles, fileSystemType: async () => type };
    assert.match((await refusal(path, { ...world, files })).message, new RegExp(`found ${name}$`));
  }
  await prepareStateDir({ ...world, files: { ...realFiles, fileSystemType: async () => 0x65735546 } }, path);
});

test('a parent that is a file is a sentence, not a stack', async () => {
  const parent = freshDirectory();
  mkdirSync(dirname(parent), { recursive: true });
  writeFileSync(parent, '');
  assert.match((await refusal(join(parent, 'state'))).message, /could not be made/);
});
