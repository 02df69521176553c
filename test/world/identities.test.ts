import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { minutes } from '../../src/token/time.ts';
import { lookUpGroup, lookUpUser } from '../../src/world/identities.ts';
import type { CommandCall, CommandEnd } from '../../src/world/processes.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import type { World } from '../../src/world/world.ts';

function worldThatAnswers(end: CommandEnd) {
  const calls: CommandCall[] = [];
  const clock = new TestClock();
  const run = async (call: CommandCall) => {
    calls.push(call);
    return end;
  };
  const world: World = { ...realWorld(), clock, processes: { run } };
  return { world, calls, clock };
}
const said = (stdout: string): CommandEnd => ({ kind: 'exited', status: 0, stdout, stderr: '' });

test('users and groups of this machine are found by name and by number', async () => {
  const world = realWorld();
  assert.deepEqual(await lookUpUser(world, 'root'), { uid: 0, gid: 0 });
  assert.deepEqual(await lookUpUser(world, '0'), { uid: 0, gid: 0 });
  assert.equal(await lookUpGroup(world, 'root'), 0);
  assert.equal(await lookUpGroup(world, '4242'), 4242);
  assert.deepEqual(await lookUpUser(world, '4000000001'), { uid: 4_000_000_001 });
});

test('an answer is remembered for five minutes', async () => {
  const { world, calls, clock } = worldThatAnswers(said('alice:x:1001:1002::/home/alice:/bin/sh\n'));
  assert.deepEqual(await lookUpUser(world, 'alice'), { uid: 1001, gid: 1002 });
  await lookUpUser(world, 'alice');
  assert.equal(calls.length, 1);
  clock.advance(minutes(6));
  await lookUpUser(world, 'alice');
  assert.equal(calls.length, 2);
});

test('where there is no getent the files of the machine are read', async () => {
  const { world } = worldThatAnswers({ kind: 'not-started', reason: 'ENOENT' });
  assert.deepEqual(await lookUpUser(world, 'root'), { uid: 0, gid: 0 });
});

test('a directory service that hangs is a failed target, to be tried again', async () => {
  const { world } = worldThatAnswers({ kind: 'timed-out' });
  await assert.rejects(lookUpUser(world, 'alice'), (fault) => fault instanceof Fault && fault.code === 'target-failed');
});

test('what cannot be a name is not handed to getent', async () => {
  const { world, calls } = worldThatAnswers(said(''));
  for (const name of ['', '-s', 'a:b', 'a\nb', '/etc/passwd']) {
    await assert.rejects(lookUpUser(world, name), (fault) => fault instanceof Fault && fault.code === 'target-refused');
  }
  assert.equal(calls.length, 0);
});

test('the number that chown takes for "leave as it is" is no user and no group', async () => {
  const { world } = worldThatAnswers({ kind: 'exited', status: 2, stdout: '', stderr: '' });
  const refused = (fault: unknown) => fault instanceof Fault && fault.code === 'target-refused';
  for (const number of ['4294967295', '9999999999']) {
    await assert.rejects(lookUpUser(world, number), refused);
    await assert.rejects(lookUpGroup(world, number), refused);
  }
});
