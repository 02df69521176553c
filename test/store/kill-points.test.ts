import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { openSpool } from '../../src/store/open-spool.ts';
import { openStore } from '../../src/store/open-store.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { account, accountName, freshDirectory, sealer } from './samples.ts';

const world = realWorld();
const program = join(import.meta.dirname, 'killed.ts');

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  const lines = createInterface(child.stdout).on('line', (line) => said.push(line));
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return { child, said, lines, ended };
}

/** In the order in which they are met: reserve writes and syncs once, save does the rest. */
const killPoints = [
  ['createExclusive', '2'],
  ['write', '1'],
  ['sync', '1'],
  ['write', '2'],
  ['truncate', '1'],
  ['sync', '2'],
  ['rename', '1'],
  ['syncDirectory', '1'],
  ['remove', '2'],
  ['syncDirectory', '2'],
] as const;

for (const [op, nth] of killPoints) {
  test(`scenario 1: killed at ${op} ${nth} of the spool, a successor is whole or absent, and never lost once saved`, async () => {
    const dir = freshDirectory();
    const { said, ended, child } = start(['saveInSpool', dir, op, nth]);
    await ended;
    assert.equal(child.signalCode, 'SIGKILL', 'the kill point was not met');
    const found = await openSpool(world, { dir, sealer }).pending(accountName('acc'));
    if (found !== undefined) assert.equal(found.credential.reveal(), 'next');
    if (said.includes('saved') && op !== 'syncDirectory') assert.ok(found, 'it was promised');
    assert.ok(!readdirSync(dir).some((name) => name.includes('damaged')));
  });
}

test('what the store promised is there after a SIGKILL, at once and whole', async () => {
  const stateDir = freshDirectory();
  const { child, said, lines, ended } = start(['writeForEver', stateDir]);
  while (said.length < 200) await once(lines, 'line');
  child.kill('SIGKILL');
  await ended;
  const store = await openStore(world, { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'a' });
  for (const name of ['acc1', 'acc2', 'acc3']) {
    const promised = said.filter((line) => line.startsWith(`${name} `)).length;
    const found = await store.account(accountName(name));
    assert.ok(found && found.generation >= promised, `${name}: ${found?.generation} of ${promised}`);
    const { credential } = await store.secrets(accountName(name));
    assert.equal(credential?.reveal(), `${name} ${found.generation}`);
  }
  assert.deepEqual(await store.findings(), []);
  await store.close();
});

test('scenario 32: locks end with a process that is killed', async () => {
  const stateDir = freshDirectory();
  const { child, lines, ended } = start(['holdLocks', stateDir]);
  await once(lines, 'line');
  const store = await openStore(world, { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'a' });
  await assert.rejects(store.lockRun(), (thrown) => thrown instanceof Fault && thrown.code === 'state-second-run');
  await assert.rejects(store.lockAccount(accountName('acc'), AbortSignal.timeout(100)));
  child.kill('SIGKILL');
  await ended;
  await (await store.lockRun())[Symbol.asyncDispose]();
  const lock = await store.lockAccount(accountName('acc'), AbortSignal.timeout(5_000));
  assert.equal(await lock.stillOurs(), true);
  await store.close();
});

test('scenario 6: a disk that takes no more is said, what was saved stays whole, and with room it goes on', async () => {
  const stateDir = freshDirectory();
  const limited = ['-c', 'ulimit -f 800; exec "$@"', 'sh', process.execPath, program, 'fillDisk', stateDir];
  const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  const lines = createInterface(child.stdout).on('line', (line) => said.push(line));
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  assert.equal(child.exitCode, 0);
  const saved = said.length - 1;
  assert.ok(saved > 0);
  assert.equal(said.at(-1), `refused state-write-failed ${saved}`);
  const store = await openStore(world, { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'a' });
  const found = await store.account(accountName('acc'));
  assert.equal(found?.generation, saved);
  assert.ok((await store.secrets(accountName('acc'))).credential?.reveal().startsWith(`${saved} `));
  await store.saveAccount(account('acc', saved + 1));
  assert.deepEqual(await store.findings(), []);
  await store.close();
});
