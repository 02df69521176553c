import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis, minutes } from '../../src/token/time.ts';
import { runAttached } from '../../src/world/real-attached-process.ts';
import { realProcesses } from '../../src/world/real-processes.ts';

const call = { file: '/bin/sh', env: {}, timeout: minutes(1), maxOutput: 4096 };

/** A program that has left its group, so that it is not ended with it, and that holds the output of its parent. */
const background = 'setsid sleep 60 & printf %s $!';
const endBackground = (pid: string) => process.kill(Number(pid), 'SIGKILL');

test('a program that leaves another one in the background has ended when it ends', async () => {
  const end = await realProcesses.run({ ...call, args: ['-c', background] });
  assert.ok(end.kind === 'exited' && end.status === 0);
  endBackground(end.stdout);
});

test('what left the group of a program does not keep it from being stopped at its time', async () => {
  const began = performance.now();
  const end = await realProcesses.run({ ...call, timeout: millis(200), args: ['-c', 'setsid sleep 3 & wait'] });
  assert.deepEqual(end, { kind: 'timed-out' });
  assert.ok(performance.now() - began < 2_500);
});

test('a signal that fired before the start ends the program, too', async () => {
  const end = await realProcesses.run({ ...call, args: ['-c', 'sleep 60'], signal: AbortSignal.abort() });
  assert.deepEqual(end, { kind: 'timed-out' });
});

test('what cannot be started is an end, whichever way Node says so', async () => {
  const long = 'x'.repeat(200_000);
  const none = (reason: string) => ({ kind: 'not-started', reason });
  assert.deepEqual(await realProcesses.run({ ...call, args: [long] }), none('E2BIG'));
  assert.deepEqual(await realProcesses.run({ ...call, args: ['a\0b'] }), none('ERR_INVALID_ARG_VALUE'));
  assert.deepEqual(await realProcesses.run({ ...call, file: '/nowhere', args: [] }), none('ENOENT'));
  assert.deepEqual(await runAttached({ argv: ['/bin/sh', long], env: {} }), none('E2BIG'));
});
