import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rotationSteps } from '../../src/renew/steps.ts';
import { type HostileIssuer, hostileIssuer, token } from '../peers/hostile-issuer.ts';
import { ModelIssuer } from './model-issuer.ts';
import { oneLogin, setting } from './setting.ts';

const program = fileURLToPath(new URL('stopped-daemon.ts', import.meta.url));

function start(issuer: HostileIssuer, dir: string, ...more: readonly string[]) {
  const config = oneLogin(issuer.issuer).replace('timeout: 2s', 'timeout: 60s');
  const child = spawn(process.execPath, [program, dir, config, ...more], { stdio: ['ignore', 'ignore', 'inherit'] });
  return { child, ended: once(child, 'exit') as Promise<[number | null, string | null]> };
}

async function loggedIn(issuer: HostileIssuer): Promise<string> {
  const before = await setting({ config: oneLogin(issuer.issuer) });
  await before.logIn('robot', 'robot-1');
  await before.close();
  return before.dir;
}

for (const step of rotationSteps) {
  test(`scenario 34: told to stop when ${step}, the daemon ends by itself, and the next one has nothing to repair`, async () => {
    await using issuer = await hostileIssuer();
    const model = new ModelIssuer({ now: Date.now } as never);
    issuer.always(model.step);
    const dir = await loggedIn(issuer);
    assert.deepEqual(await start(issuer, dir, step, 'once').ended, [0, null]);
    await using here = await setting({ config: oneLogin(issuer.issuer), dir });
    const account = await here.account('robot');
    assert.equal(account.intent, null, 'what was on its way was finished');
    assert.equal(await here.refreshToken('robot'), model.current('robot'));
    assert.equal((await here.pass()).elsewhere.length, 0, 'no claim was left behind');
    assert.equal(await here.refreshToken('robot'), model.current('robot'));
    assert.match((await here.delivered('token')) ?? '', /^token-\d$/);
    assert.deepEqual(model.violations, []);
  });
}

test('scenario 34: a stop waits for a slow answer and keeps what it brought', async () => {
  await using issuer = await hostileIssuer();
  const asked = Promise.withResolvers<() => void>();
  issuer.script((response, request) => {
    asked.resolve(() => token({ refresh_token: 'robot-2', scope: 'storage.read:/' })(response, request));
  });
  const dir = await loggedIn(issuer);
  const { child, ended } = start(issuer, dir, 'never', 'once');
  const answer = await asked.promise;
  child.kill('SIGTERM');
  answer();
  assert.deepEqual(await ended, [0, null]);
  await using here = await setting({ config: oneLogin(issuer.issuer), dir });
  assert.equal(await here.refreshToken('robot'), 'robot-2');
  assert.equal((await here.account('robot')).intent, null);
});

test('scenario 34: a second SIGTERM does not wait for the answer; the outcome is marked unknown and nothing is lost', async () => {
  await using issuer = await hostileIssuer();
  const asked = Promise.withResolvers<void>();
  issuer.script(() => asked.resolve());
  const dir = await loggedIn(issuer);
  const { child, ended } = start(issuer, dir, 'never', 'twice');
  await asked.promise;
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  await using here = await setting({ config: oneLogin(issuer.issuer), dir });
  const account = await here.account('robot');
  assert.equal(account.intent?.outcome, 'unknown');
  assert.equal(await here.refreshToken('robot'), 'robot-1');
  issuer.always(token({ refresh_token: 'robot-2', scope: 'storage.read:/' }));
  await here.pass('forced');
  assert.equal(await here.refreshToken('robot'), 'robot-2');
});
