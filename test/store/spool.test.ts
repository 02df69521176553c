import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { keySealer } from '../../src/store/envelope.ts';
import { openSpool } from '../../src/store/open-spool.ts';
import type { StoreFinding } from '../../src/store/quarantine.ts';
import { type FaultStep, faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { volatileFiles } from '../../src/world/volatile-files.ts';
import { accountName, freshDirectory, refreshToken, sealer } from './samples.ts';
import { spoolContract } from './spool-contract.ts';

const acc = accountName('acc');
const real = realWorld();
const isFault = (code: string) => (thrown: unknown) => thrown instanceof Fault && thrown.code === code;

spoolContract('files', () => {
  const dir = freshDirectory();
  const reopen = () => openSpool(real, { dir, sealer });
  return { spool: reopen(), reopen };
});

function bed(plan: readonly FaultStep[]) {
  const dir = `${freshDirectory()}-first`;
  const second = `${freshDirectory()}-second`;
  const world = { ...real, files: faultyFiles(realFiles, plan) };
  return {
    dir,
    second,
    broken: openSpool(world, { dir, second, sealer }),
    alone: openSpool(world, { dir, sealer }),
    whole: openSpool(real, { dir, second, sealer }),
  };
}

test('the successor is sealed: no file of the spool has it in clear, and all are 0600 in a directory of 0700', async () => {
  const { dir, whole } = bed([]);
  const place = await whole.reserve(acc);
  const [draft] = readdirSync(dir);
  assert.equal(statSync(join(dir, String(draft))).size, 32 * 1024);
  await place.save(refreshToken('canary-successor'), 2);
  assert.deepEqual(readdirSync(dir), ['acc.successor']);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(join(dir, 'acc.successor')).mode & 0o777, 0o600);
  const text = readFileSync(join(dir, 'acc.successor'), 'latin1');
  assert.ok(!text.includes('canary-successor') && !text.includes(Buffer.from('canary-successor').toString('base64')));
});

for (const step of [
  { op: 'createExclusive', path: '.draft', code: 'ENOSPC' },
  { op: 'write', code: 'EDQUOT' },
  { op: 'sync', code: 'EIO' },
] as const satisfies readonly FaultStep[]) {
  test(`scenario 6: ${step.code} while reserving is said before anything is spent, and leaves nothing behind`, async () => {
    const { dir, alone } = bed([step]);
    await assert.rejects(alone.reserve(acc), isFault('state-write-failed'));
    assert.deepEqual(readdirSync(dir), []);
    await (await alone.reserve(acc)).release();
  });
}

/** Everything that can go wrong once, after the reservation: its write is the first, its sync the first. */
const onceEach: readonly FaultStep[] = [
  { op: 'write', nth: 2, code: 'EIO' },
  { op: 'write', nth: 2, short: 10 },
  { op: 'truncate', code: 'EIO' },
  { op: 'sync', nth: 2, code: 'EIO' },
  { op: 'rename', code: 'EROFS' },
  { op: 'syncDirectory', code: 'EIO' },
];

for (const step of onceEach) {
  const what = `${step.op} ${step.code ?? 'short'}`;
  test(`scenario 6: one fault (${what}) while saving loses nothing`, async () => {
    const { alone, whole, dir } = bed([step]);
    const place = await alone.reserve(acc);
    await place.save(refreshToken('next'), 2);
    const found = await whole.pending(acc);
    assert.equal(found?.credential.reveal(), 'next');
    await place.release();
    assert.deepEqual(readdirSync(dir), []);
  });
}

test('scenario 6: when the first place is dead the second one takes the successor', async () => {
  const { broken, whole, second } = bed([
    { op: 'write', nth: 2, times: 1e6, path: '-first', code: 'ENOSPC' },
    // The first is the probe of the directory, the second the reservation.
    { op: 'createExclusive', nth: 3, times: 1e6, path: '-first', code: 'EROFS' },
  ]);
  const place = await broken.reserve(acc);
  await place.save(refreshToken('next'), 2);
  assert.deepEqual(readdirSync(second), ['acc.successor']);
  const found = await whole.pending(acc);
  assert.equal(found?.credential.reveal(), 'next');
  await found?.discard();
  assert.deepEqual(readdirSync(second), []);
});

test('scenario 6: when no place takes it that is said without the secret, and saving again later works', async () => {
  const { broken, whole } = bed([{ op: 'sync', nth: 2, times: 3, code: 'EIO' }]);
  const place = await broken.reserve(acc);
  await assert.rejects(place.save(refreshToken('canary-next'), 2), (thrown) => {
    assert.ok(isFault('successor-unsaved')(thrown));
    assert.ok(!`${(thrown as Error).stack} ${(thrown as Error).cause}`.includes('canary-next'));
    return true;
  });
  await place.save(refreshToken('canary-next'), 2);
  assert.equal((await whole.pending(acc))?.credential.reveal(), 'canary-next');
});

test('of two places the later generation counts', async () => {
  const { broken, whole } = bed([{ op: 'rename', nth: 2, times: 2, path: '-first', code: 'EIO' }]);
  await (await broken.reserve(acc)).save(refreshToken('two'), 2);
  await (await broken.reserve(acc)).save(refreshToken('three'), 3);
  assert.equal((await whole.pending(acc))?.generation, 3);
});

test('scenario 12: old drafts of a dead process are swept, fresh ones and those of other accounts are not', async () => {
  const { dir, whole } = bed([]);
  await (await whole.reserve(acc)).release();
  for (const name of ['acc.dead.draft', 'acc.busy.draft', 'acc2.dead.draft', 'acc.notes']) {
    writeFileSync(join(dir, name), 'refresh me not', { mode: 0o600 });
    if (!name.includes('busy')) utimesSync(join(dir, name), 1_000_000, 1_000_000);
  }
  assert.equal(await whole.pending(acc), undefined);
  assert.deepEqual(readdirSync(dir).sort(), ['acc.busy.draft', 'acc.notes', 'acc2.dead.draft']);
});

for (const what of ['data', 'names'] as const) {
  test(`scenario 13: a saved successor outlives a power cut that takes unsynced ${what}, and so does the one before it`, async () => {
    const dir = freshDirectory();
    const { files, cut } = volatileFiles(realFiles);
    const spool = openSpool({ ...real, files }, { dir, sealer });
    const early = await spool.reserve(acc);
    await early.save(refreshToken('second'), 2);
    await cut(what);
    assert.equal((await openSpool(real, { dir, sealer }).pending(acc))?.generation, 2);
    await (await spool.reserve(acc)).save(refreshToken('third'), 3);
    await cut(what);
    assert.equal((await openSpool(real, { dir, sealer }).pending(acc))?.credential.reveal(), 'third');
  });
}

test('scenario 13: a successor whose data did not reach the disk is moved aside, reported, and not used', async () => {
  for (const damage of [
    (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
    (bytes: Buffer) => Buffer.alloc(bytes.length),
    () => Buffer.alloc(0),
    (bytes: Buffer) => Buffer.from(bytes.toString().replace('"generation":2', '"generation":9')),
  ]) {
    const dir = freshDirectory();
    const findings: StoreFinding[] = [];
    const spool = openSpool(real, { dir, sealer, onFinding: (finding) => findings.push(finding) });
    await (await spool.reserve(acc)).save(refreshToken('next'), 2);
    const file = join(dir, 'acc.successor');
    writeFileSync(file, damage(readFileSync(file)));
    assert.equal(await spool.pending(acc), undefined);
    assert.equal(findings.length, 1);
    assert.match(String(readdirSync(dir)), /^acc\.damaged-\d+$/);
  }
});

test('a successor sealed with another key is neither used nor moved', async () => {
  const { dir, whole } = bed([]);
  await (await whole.reserve(acc)).save(refreshToken('next'), 2);
  const stranger = openSpool(real, { dir, sealer: keySealer(Buffer.alloc(32, 9)) });
  await assert.rejects(stranger.pending(acc), isFault('seal-wrong-key'));
  assert.deepEqual(readdirSync(dir), ['acc.successor']);
});
