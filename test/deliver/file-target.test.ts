import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { FileTarget } from '../../src/config/config.ts';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { Fault } from '../../src/fault/fault.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';

const world = realWorld();
const token = new Secret('access_token', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'deliver-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function target(more: Partial<FileTarget> = {}): FileTarget {
  const path = join(directory, 'a.token');
  return { kind: 'file', id: `file:${path}`, path, mode: 0o600, existing: 'set', inPlace: false, ...more };
}
const deliver = (it: FileTarget, what = token) => delivererOf(it).deliver(it, what, world);

test('a token lies there with a line end after it, and nothing else does', async () => {
  await deliver(target());
  assert.equal(readFileSync(target().path, 'utf8'), `${token.reveal()}\n`);
  assert.deepEqual(readdirSync(directory), ['a.token']);
});

test('a delivery replaces the file: the old one is another inode and still whole', async () => {
  await deliver(target());
  const before = statSync(target().path).ino;
  await deliver(target(), new Secret('access_token', 'second'));
  assert.notEqual(statSync(target().path).ino, before);
  assert.equal(readFileSync(target().path, 'utf8'), 'second\n');
});

test('scenario 16: the mode is what was asked, whatever the umask and the mode of the old file', async () => {
  const umask = process.umask();
  try {
    for (const mask of [0o000, 0o022, 0o077, 0o277]) {
      for (const old of [undefined, 0o644, 0o666, 0o400]) {
        for (const mode of [0o600, 0o400, 0o640, 0o440]) {
          process.umask(0o022);
          rmSync(target().path, { force: true });
          if (old !== undefined) {
            writeFileSync(target().path, 'old');
            chmodSync(target().path, old);
          }
          process.umask(mask);
          await deliver(target({ mode }));
          assert.equal(
            lstatSync(target().path).mode & 0o7777,
            mode,
            `umask ${mask.toString(8)}, old ${old?.toString(8)}`,
          );
        }
      }
    }
  } finally {
    process.umask(umask);
  }
});

test('a mode that lets everybody read is refused', async () => {
  await assert.rejects(deliver(target({ mode: 0o644 })), (fault: Fault) => fault.code === 'target-refused');
});

test('a missing directory is refused with the command that makes it', async () => {
  const it = target({ path: join(directory, 'none', 'a.token') });
  await assert.rejects(deliver(it), (fault) => {
    assert.ok(fault instanceof Fault);
    assert.equal(fault.code, 'target-refused');
    assert.match(fault.hint ?? '', /install -d .*none/);
    return true;
  });
});

test('check tells a token that lies there from another one, and from none', async () => {
  const { check } = delivererOf(target());
  const delivered = { fingerprint: token.fingerprint, at: null };
  assert.equal(await check(target(), delivered, world), 'gone');
  await deliver(target());
  assert.equal(await check(target(), delivered, world), 'there');
  writeFileSync(target().path, 'another\n');
  assert.equal(await check(target(), delivered, world), 'gone');
});

test('line ends without end, put there by the owner of the file, hold nobody up', async () => {
  const { check } = delivererOf(target());
  await deliver(target());
  writeFileSync(target().path, `${'\n'.repeat(65_000)}x`);
  const began = performance.now();
  assert.equal(await check(target(), { fingerprint: token.fingerprint, at: null }, world), 'gone');
  assert.ok(performance.now() - began < 1_000);
});

test('check opens only a file that was touched since the delivery', async () => {
  const { check } = delivererOf(target());
  await deliver(target());
  const { changedAt = 0 } = (await world.files.look(target().path)) ?? {};
  const untouched = { fingerprint: token.fingerprint, at: epoch(changedAt) };
  const opensNothing = {
    ...world,
    files: { ...world.files, openDirectory: () => Promise.reject(Object.assign(new Error('opened'), { code: 'EIO' })) },
  };
  assert.equal(await check(target(), untouched, opensNothing), 'there');
  for (const at of [changedAt - 1, changedAt + 3_600_000]) {
    assert.equal(await check(target(), { ...untouched, at: epoch(at) }, opensNothing), 'unknown');
    assert.equal(await check(target(), { ...untouched, at: epoch(at) }, world), 'there');
  }
});

test('withdraw deletes the file, and is content when it is gone', async () => {
  await deliver(target());
  await delivererOf(target()).withdraw(target(), world);
  assert.deepEqual(readdirSync(directory), []);
  await delivererOf(target()).withdraw(target(), world);
});
