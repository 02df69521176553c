import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { Fault } from '../../src/fault/fault.ts';
import type { AccessToken } from '../../src/token/secret.ts';
import { type FaultStep, faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { accessToken, fileTarget, isRoot, scratch, worldWith } from './testing.ts';

const old = accessToken(`old${'a'.repeat(3000)}`);
const fresh = accessToken(`new${'b'.repeat(20_000)}`);

function deliver(path: string, token: AccessToken, plan: readonly FaultStep[] = [], more = {}): Promise<void> {
  const target = fileTarget(path, more);
  return delivererOf(target).deliver(target, token, worldWith({ files: faultyFiles(realFiles, plan) }));
}
const failed = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof Fault, String(thrown));
  assert.equal(thrown.code, 'target-failed');
  assert.match(thrown.message, pattern);
  return true;
};

/** 64 KiB of tmpfs, or undefined where we may not mount. */
function smallDisk(t: TestContext): string | undefined {
  if (!isRoot) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
  let mounted = false;
  t.after(() => {
    if (mounted) execFileSync('/usr/bin/umount', [directory]);
    rmdirSync(directory);
  });
  try {
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', directory], {
      stdio: 'ignore',
    });
    mounted = true;
  } catch {
    return undefined;
  }
  return directory;
}

test('scenario 11: with a full disk the old token stays whole, and the new one comes when there is room', async (t) => {
  const small = smallDisk(t);
  if (small === undefined) {
    t.diagnostic('mounting is not permitted here: the disk is full by the fault plan, not by a small tmpfs');
    const path = join(scratch(t), 'a.token');
    await deliver(path, old);
    await assert.rejects(
      deliver(path, fresh, [{ op: 'write', code: 'ENOSPC' }]),
      failed(/the disk is full \(ENOSPC\)/),
    );
    assert.equal(readFileSync(path, 'utf8'), `${old.reveal()}\n`);
    return;
  }
  const path = join(small, 'a.token');
  await deliver(path, old);
  const ballast = join(small, 'ballast');
  writeFileSync(ballast, Buffer.alloc(48 * 1024));
  for (const inPlace of [false, true]) {
    await assert.rejects(deliver(path, fresh, [], { inPlace }), failed(/disk is full|could be written/));
    assert.equal(readFileSync(path, 'utf8'), `${old.reveal()}\n`);
    assert.deepEqual(readdirSync(small).sort(), ['a.token', 'ballast']);
  }
  writeFileSync(ballast, '');
  await deliver(path, fresh);
  assert.equal(readFileSync(path, 'utf8'), `${fresh.reveal()}\n`);
});

test('scenario 11: short writes are gone on with, and a write of nothing is a fault', async (t) => {
  const path = join(scratch(t), 'a.token');
  await deliver(path, fresh, [{ op: 'write', short: 7, times: 3 }]);
  assert.equal(readFileSync(path, 'utf8'), `${fresh.reveal()}\n`);
  await assert.rejects(deliver(path, old, [{ op: 'write', nth: 1, short: 0 }]), failed(/the disk is full/));
  assert.equal(readFileSync(path, 'utf8'), `${fresh.reveal()}\n`);
});

test('scenario 17: whatever call fails, the file is the old or the new token, whole, and no temporary file stays', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 'a.token');
  const op = fc.constantFrom<FaultStep['op']>(
    'openDirectory',
    'createExclusive',
    'write',
    'sync',
    'syncDirectory',
    'rename',
    'list',
  );
  const step = fc.record({ op, nth: fc.integer({ min: 1, max: 2 }), code: fc.constantFrom('EIO', 'ENOSPC', 'EROFS') });
  let turn = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 3 }), async (plan) => {
      const before = accessToken(`before-${turn}`);
      const after = accessToken(`after-${turn++}`);
      await deliver(path, before);
      const outcome = await deliver(path, after, plan).catch((thrown: unknown) => thrown);
      const now = readFileSync(path, 'utf8');
      if (outcome === undefined) assert.equal(now, `${after.reveal()}\n`);
      else assert.ok(outcome instanceof Fault && outcome.code === 'target-failed', String(outcome));
      assert.ok([`${before.reveal()}\n`, `${after.reveal()}\n`].includes(now));
      assert.deepEqual(readdirSync(directory), ['a.token']);
    }),
    { numRuns: 60 },
  );
});

test('the file is synced before the rename and the directory after it', async (t) => {
  const path = join(scratch(t), 'a.token');
  const order: string[] = [];
  const note = (op: FaultStep['op']): FaultStep => ({ op, times: 99, meanwhile: () => void order.push(op) });
  await deliver(
    path,
    old,
    ['write', 'sync', 'rename', 'syncDirectory'].map((op) => note(op as FaultStep['op'])),
  );
  assert.deepEqual(order, ['write', 'sync', 'rename', 'syncDirectory']);
});

test('scenario 12: files of a dead process go, temporary ones after an hour, private ones after a day; other and younger ones stay', async (t) => {
  const directory = scratch(t);
  const hoursAgo = (name: string, hours: number) => {
    writeFileSync(join(directory, name), 'left');
    const time = Date.now() / 1000 - hours * 3600;
    utimesSync(join(directory, name), time, time);
  };
  hoursAgo('.a.token.tokeep-AAAAAAAAAAAAAAAAAAAAAA', 2);
  hoursAgo('.b.token.tokeep-BBBBBBBBBBBBBBBBBBBBBB', 0.5);
  hoursAgo('.a.token.tokeep-short', 2);
  hoursAgo('old.token', 2);
  hoursAgo('.tokeep-PPPPPPPPPPPPPPPPPPPPPP.token', 25);
  hoursAgo('.tokeep-QQQQQQQQQQQQQQQQQQQQQQ.token', 23);
  mkdirSync(join(directory, '.d.tokeep-DDDDDDDDDDDDDDDDDDDDDD'));
  await deliver(join(directory, 'a.token'), old);
  assert.deepEqual(readdirSync(directory).sort(), [
    '.a.token.tokeep-short',
    '.b.token.tokeep-BBBBBBBBBBBBBBBBBBBBBB',
    '.d.tokeep-DDDDDDDDDDDDDDDDDDDDDD',
    '.tokeep-QQQQQQQQQQQQQQQQQQQQQQ.token',
    'a.token',
    'old.token',
  ]);
});

test('scenario 38: a target that fails leaves the others alone', async (t) => {
  const directory = scratch(t);
  const world = worldWith({ files: faultyFiles(realFiles, [{ op: 'write', path: 'bad', times: 99, code: 'EIO' }]) });
  const targets = ['good-1', 'bad', 'good-2'].map((name) => fileTarget(join(directory, name)));
  const ends = await Promise.allSettled(targets.map((target) => delivererOf(target).deliver(target, old, world)));
  assert.deepEqual(
    ends.map((end) => (end.status === 'fulfilled' ? 'there' : (end.reason as Fault).code)),
    ['there', 'target-failed', 'there'],
  );
  assert.deepEqual(readdirSync(directory).sort(), ['good-1', 'good-2']);
});

test('many deliveries at once into one directory share its syncs, and each is there', async (t) => {
  const directory = scratch(t);
  let syncs = 0;
  const count: FaultStep = { op: 'syncDirectory', times: 9999, meanwhile: () => void syncs++ };
  const world = worldWith({ files: faultyFiles(realFiles, [count]) });
  const targets = Array.from({ length: 64 }, (_, n) => fileTarget(join(directory, `t${n}`)));
  await Promise.all(targets.map((target) => delivererOf(target).deliver(target, accessToken(target.id), world)));
  for (const target of targets) assert.equal(readFileSync(target.path, 'utf8'), `${target.id}\n`);
  assert.ok(syncs < 64, `${syncs} syncs`);
});
