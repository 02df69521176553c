import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { openSpool } from '../../src/store/open-spool.ts';
import { openStore } from '../../src/store/open-store.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import { rotateSealingKey } from '../../src/store/seal-rotation.ts';
import { restoreBackup, sealedBackup } from '../../src/store/sealed-backup.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { accessToken, account, accountName, at, freshDirectory, refreshToken, seed, wishName } from './samples.ts';

const world = realWorld();
const isFault = (code: string) => (thrown: unknown) => thrown instanceof Fault && thrown.code === code;
const passphrase = new Secret('password', 'correct horse');

function bed(stateDir = freshDirectory()) {
  const keyFile = `${stateDir}-etc/key`;
  const options = { stateDir, choice: { kind: 'sqlite' }, node: 'a' } as const;
  const open = async () => openStore(world, { ...options, sealer: await openSealer(world, { keyFile }) });
  const rotate = (spool: readonly string[] = []) => rotateSealingKey(world, { ...options, keyFile, spool, also: [] });
  return { stateDir, keyFile, open, rotate };
}

async function fill({ open }: ReturnType<typeof bed>): Promise<void> {
  const store = await open();
  await store.saveAccount(account('acc'), { credential: refreshToken('old') });
  await store.saveAccount(account('acc', 2), {
    credential: refreshToken('new'),
    clientSecret: new Secret('client_secret', 'cs'),
  });
  await store.register([seed('w')], at);
  const [claimed] = await store.claim({ now: at, limit: 1, node: 'a', lease: 1000 as never });
  assert.ok(claimed);
  await store.settle(claimed, accessToken('at'));
  await store.close();
}

async function check({ open }: ReturnType<typeof bed>): Promise<void> {
  const store = await open();
  const secrets = await store.secrets(accountName('acc'));
  assert.equal(secrets.credential?.reveal(), 'new');
  assert.equal(secrets.clientSecret?.reveal(), 'cs');
  assert.equal((await store.token(wishName('w')))?.reveal(), 'at');
  assert.deepEqual(await store.findings(), []);
  await store.close();
}

test('after a change of the key everything opens, with the new key alone, and the old one is gone', async () => {
  const one = bed();
  await fill(one);
  const before = readFileSync(one.keyFile, 'utf8');
  const report = await one.rotate();
  assert.equal(report.resealed, 2);
  assert.notEqual(report.from, report.to);
  await check(one);
  assert.deepEqual(readdirSync(join(one.keyFile, '..')), ['key']);
  assert.notEqual(readFileSync(one.keyFile, 'utf8'), before);
});

test('a process with the old key writes no account after the change, not even an intent', async () => {
  const one = bed();
  await fill(one);
  const early = await one.open();
  await one.rotate();
  await assert.rejects(early.saveAccount(account('acc', 3)), isFault('seal-wrong-key'));
  await early.close();
  await check(one);
});

test('the key is not changed under a run, during a renewal, or while a successor waits', async () => {
  const one = bed();
  await fill(one);
  const store = await one.open();
  const run = await store.lockRun();
  await assert.rejects(one.rotate(), isFault('state-second-run'));
  await run[Symbol.asyncDispose]();
  const dir = freshDirectory();
  const spool = openSpool(world, { dir, sealer: await openSealer(world, { keyFile: one.keyFile }) });
  const place = await spool.reserve(accountName('acc'));
  await place.save(refreshToken('newest'), 3);
  await assert.rejects(one.rotate([dir]), isFault('state-busy'));
  await place.release();
  await store.close();
  await one.rotate([dir]);
  await check(one);
});

for (const [op, where] of [
  ['createExclusive', 'key.next'],
  ['sync', 'key.next'],
  ['createExclusive', 'key.old'],
  ['sync', 'key.old'],
  ['rename', 'key.next'],
  ['syncDirectory', '-etc,3'],
  ['remove', 'key.old'],
  ['syncDirectory', '-etc,4'],
] as const) {
  test(`killed at ${op} of ${where} while the key is changed: everything opens, and doing it again ends it`, async () => {
    const one = bed();
    await fill(one);
    const program = join(import.meta.dirname, 'killed.ts');
    const child = spawn(process.execPath, [program, 'rotate', one.stateDir, op, where], { stdio: 'inherit' });
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL', 'the kill point was not met');
    await check(one);
    await one.rotate();
    await check(one);
    assert.deepEqual(readdirSync(join(one.keyFile, '..')), ['key']);
  });
}

test('scenario 46: a restored account is suspect, and what is newer in the state is not taken back', async () => {
  const one = bed();
  await fill(one);
  const store = await one.open();
  const backup = await sealedBackup(world, store, passphrase);
  const bytes = Buffer.from(backup.split(' ')[2] ?? '', 'base64').toString('latin1');
  assert.ok(!bytes.includes('refresh_token') && !backup.includes('refresh_token'));
  await store.saveAccount(account('acc', 3), { credential: refreshToken('newer') });
  assert.deepEqual((await restoreBackup(world, store, backup, passphrase)).kept, ['acc']);
  assert.equal((await store.secrets(accountName('acc'))).credential?.reveal(), 'newer');
  await store.close();

  const other = await bed().open();
  const report = await restoreBackup(world, other, backup, passphrase);
  assert.deepEqual(report.restored, ['acc']);
  const back = await other.account(accountName('acc'));
  assert.equal(back?.intent?.outcome, 'unknown');
  assert.equal(back?.trouble?.code, 'outcome-unknown');
  assert.equal((await other.secrets(accountName('acc'))).clientSecret?.reveal(), 'cs');
  await other.close();
});

test('a backup does not open with another passphrase, or changed, and then nothing is restored', async () => {
  const one = bed();
  await fill(one);
  const store = await one.open();
  const backup = await sealedBackup(world, store, passphrase);
  const wrong = new Secret('password', 'wrong horse');
  const other = backup[90] === 'A' ? 'B' : 'A';
  for (const attempt of [
    () => restoreBackup(world, store, backup, wrong),
    () => restoreBackup(world, store, `${backup.slice(0, 90)}${other}${backup.slice(91)}`, passphrase),
    () => restoreBackup(world, store, 'something else', passphrase),
  ]) {
    await assert.rejects(attempt(), isFault('usage'));
  }
  assert.equal((await store.account(accountName('acc')))?.generation, 2);
  await store.close();
  assert.ok(existsSync(one.keyFile));
});
