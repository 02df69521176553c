import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type FreshToken, runWithToken } from '../../src/deliver/kept-file.ts';
import { sweepLeftovers } from '../../src/deliver/leftovers.ts';
import { Fault } from '../../src/fault/fault.ts';
import { after, epoch, hours, type Millis, minutes, seconds } from '../../src/token/time.ts';
import type { AttachedCall, AttachedEnd } from '../../src/world/attached-process.ts';
import { runAttached } from '../../src/world/real-attached-process.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { accessToken, me, scratch, worldWith } from './testing.ts';

/** A command that runs until the test ends it, tokens that live an hour, and a clock that the test moves. */
function stage(t: TestContext) {
  const clock = new TestClock();
  const ended = Promise.withResolvers<AttachedEnd>();
  const started = Promise.withResolvers<AttachedCall>();
  const asked: Millis[] = [];
  const warnings: string[] = [];
  let answer = async (): Promise<FreshToken> => ({
    token: accessToken(`token-${asked.length}`),
    expiresAt: after(clock.now(), minutes(60)),
  });
  const world = worldWith({ clock, env: { XDG_RUNTIME_DIR: scratch(t), BEARER_TOKEN: 'old', KEPT: 'yes' } });
  const result = runWithToken({
    world,
    argv: ['job'],
    freshToken: (minLifetime) => {
      asked.push(minLifetime);
      return answer();
    },
    run: (call) => {
      started.resolve(call);
      return ended.promise;
    },
    warn: async (sentence) => void warnings.push(sentence),
  });
  const pass = async (length: Millis) => {
    for (let left = length as number; left > 0; left -= 60_000) {
      await clock.sleeping();
      clock.advance(seconds(Math.min(60, left / 1000)));
    }
    await clock.sleeping();
  };
  return {
    asked,
    warnings,
    result,
    pass,
    path: async () => (await started.promise).env['BEARER_TOKEN_FILE'] ?? '',
    call: started.promise,
    end: (end: AttachedEnd) => ended.resolve(end),
    answerWith: (next: () => Promise<FreshToken>) => {
      answer = next;
    },
  };
}

test('the command finds a private file, and no token in its environment; the file goes with the command', async (t) => {
  const it = stage(t);
  const { env } = await it.call;
  const path = await it.path();
  assert.equal(readFileSync(path, 'utf8'), 'token-1\n');
  assert.equal(lstatSync(path).mode & 0o7777, 0o600);
  assert.equal(env['BEARER_TOKEN'], undefined);
  assert.equal(env['KEPT'], 'yes');
  it.end({ kind: 'exited', status: 3 });
  assert.deepEqual(await it.result, { kind: 'exited', status: 3 });
  assert.ok(!existsSync(path));
});

test('the file is replaced ten minutes before the token ends, and not before', async (t) => {
  const it = stage(t);
  const path = await it.path();
  await it.pass(minutes(49));
  assert.equal(readFileSync(path, 'utf8'), 'token-1\n');
  await it.pass(minutes(2));
  assert.equal(readFileSync(path, 'utf8'), 'token-2\n');
  assert.deepEqual(it.asked, [minutes(1), minutes(10) + 1000]);
  it.end({ kind: 'exited', status: 0 });
  await it.result;
});

test('scenario 12: the file that a killed process leaves is swept a day later, and one in use is written anew before', async (t) => {
  const it = stage(t);
  const path = await it.path();
  it.answerWith(async () => ({ token: accessToken('long'), expiresAt: Number.MAX_SAFE_INTEGER as never }));
  await it.pass(minutes(51));
  utimesSync(path, 0, 0);
  await it.pass(minutes(361));
  assert.notEqual(lstatSync(path).mtimeMs, 0);
  const directory = await realFiles.openDirectory(dirname(path));
  t.after(() => directory.close());
  const hoursFromNow = (count: number) => after(epoch(Date.now()), hours(count));
  await sweepLeftovers(directory, [me], hoursFromNow(23));
  assert.ok(existsSync(path));
  await sweepLeftovers(directory, [me], hoursFromNow(25));
  assert.ok(!existsSync(path));
  it.end({ kind: 'exited', status: 0 });
  await it.result;
});

test('a renewal that fails is told once, tried again, and its end is told once', async (t) => {
  const it = stage(t);
  const path = await it.path();
  it.answerWith(async () => {
    throw new Fault('issuer-unreachable', 'no connection to the issuer');
  });
  await it.pass(minutes(55));
  assert.equal(it.warnings.length, 1);
  assert.match(it.warnings[0] ?? '', /no connection to the issuer/);
  assert.ok(it.asked.length > 4 && it.asked.length < 20, `${it.asked.length} tries`);
  assert.equal(readFileSync(path, 'utf8'), 'token-1\n');
  it.answerWith(async () => ({ token: accessToken('back'), expiresAt: Number.MAX_SAFE_INTEGER as never }));
  await it.pass(minutes(2));
  assert.equal(readFileSync(path, 'utf8'), 'back\n');
  assert.deepEqual(it.warnings.slice(1), ['the token is fresh again']);
  it.end({ kind: 'killed', signal: 'SIGTERM' });
  assert.deepEqual(await it.result, { kind: 'killed', signal: 'SIGTERM' });
});

test('an issuer whose tokens hardly live is not asked in a hot loop', async (t) => {
  const it = stage(t);
  await it.path();
  it.answerWith(async () => ({ token: accessToken('short'), expiresAt: 0 as never }));
  await it.pass(minutes(60));
  assert.ok(it.asked.length < 700, `${it.asked.length} requests`);
  it.end({ kind: 'exited', status: 0 });
  await it.result;
});

test('without a first token nothing is started', async () => {
  const none = new Fault('token-none', 'there is none');
  const run = () => assert.fail('started');
  const freshToken = async () => Promise.reject(none);
  await assert.rejects(
    runWithToken({ world: worldWith({}), argv: ['job'], freshToken, run, warn: async () => {} }),
    (thrown) => thrown === none,
  );
});

test('an attached command gives its status, its signal, or why it did not start', async () => {
  const env = { PATH: '/usr/bin:/bin' };
  assert.deepEqual(await runAttached({ argv: ['sh', '-c', 'exit 42'], env }), { kind: 'exited', status: 42 });
  assert.deepEqual(await runAttached({ argv: ['sh', '-c', 'kill -KILL $$'], env }), {
    kind: 'killed',
    signal: 'SIGKILL',
  });
  assert.deepEqual(await runAttached({ argv: ['/no/such'], env }), { kind: 'not-started', reason: 'ENOENT' });
});

test('a signal that we get is passed on to the attached command, and does not end us', async (t) => {
  const ready = `${scratch(t)}/ready`;
  const script = `trap 'kill $!; exit 7' TERM; tail -f /dev/null >/dev/null 2>&1 & : > ${ready}; wait`;
  const end = runAttached({ argv: ['sh', '-c', script], env: { PATH: '/usr/bin:/bin' } });
  while (!existsSync(ready)) await new Promise((resolve) => setImmediate(resolve));
  process.kill(process.pid, 'SIGTERM');
  assert.deepEqual(await end, { kind: 'exited', status: 7 });
  assert.equal(process.listenerCount('SIGTERM'), 0);
});
