import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type HostileIssuer, hostileIssuer, token } from '../peers/hostile-issuer.ts';
import { oneLogin, setting } from './setting.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** `tokeep run` as a service manager would start it. */
function tokeepRun(dir: string) {
  const child = spawn(process.execPath, [program, 'run', '--config', join(dir, 'tokeep.yaml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], STATE_DIRECTORY: join(dir, 'state'), CONFIGURATION_DIRECTORY: dir },
  });
  let said = '';
  child.stderr.on('data', (part) => {
    said += part;
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, said }));
  return { child, ended };
}

async function loggedIn(issuer: HostileIssuer) {
  const before = await setting({ config: oneLogin(issuer.issuer).replace('timeout: 2s', 'timeout: 50s') });
  await before.logIn('robot', 'robot-1');
  await before.close();
  return before;
}

/** Holds the first answer back. */
function heldAnswer(issuer: HostileIssuer): Promise<() => void> {
  const asked = Promise.withResolvers<() => void>();
  issuer.script((response, request) => {
    asked.resolve(() => token({ refresh_token: 'robot-2', scope: 'storage.read:/' })(response, request));
  });
  return asked.promise;
}

test('scenarios 33 and 34: a second `tokeep run` exits 7 and leaves the first alone, which at SIGTERM keeps the answer under way and exits 0', async () => {
  await using issuer = await hostileIssuer();
  const asked = heldAnswer(issuer);
  const { dir } = await loggedIn(issuer);
  const first = tokeepRun(dir);
  const answer = await asked;
  const second = await tokeepRun(dir).ended;
  assert.equal(second.status, 7, second.said);
  assert.equal(first.child.exitCode, null);
  first.child.kill('SIGTERM');
  answer();
  const { status, said } = await first.ended;
  assert.equal(status, 0, said);
  await using here = await setting({ config: oneLogin(issuer.issuer), dir });
  assert.equal(await here.refreshToken('robot'), 'robot-2');
  assert.equal((await here.account('robot')).intent, null);
  issuer.assertRequests(1);
});

test('scenario 34: a second SIGTERM waits for no answer and still exits 0; the intent says that the outcome is unknown, and nothing waits for a lease', async () => {
  await using issuer = await hostileIssuer();
  const asked = heldAnswer(issuer);
  const { dir } = await loggedIn(issuer);
  const { child, ended } = tokeepRun(dir);
  await asked;
  const heard = new Promise<void>((resolve) => {
    child.stderr?.on('data', (part) => `${part}`.includes('stopping') && resolve());
  });
  child.kill('SIGTERM');
  await heard;
  child.kill('SIGTERM');
  const { status, said } = await ended;
  assert.equal(status, 0, said);
  await using here = await setting({ config: oneLogin(issuer.issuer), dir });
  assert.equal(await here.refreshToken('robot'), 'robot-1');
  assert.notEqual((await here.account('robot')).intent, null);
  issuer.always(token({ refresh_token: 'robot-2', scope: 'storage.read:/' }));
  await here.pass('forced');
  assert.equal(await here.refreshToken('robot'), 'robot-2');
  assert.equal((await here.account('robot')).intent, null);
});

test('scenario 33: a state that a newer tokeep wrote is refused with a sentence, and not touched', async () => {
  await using issuer = await hostileIssuer();
  const { dir } = await loggedIn(issuer);
  const state = new DatabaseSync(join(dir, 'state', 'state.db'));
  state.exec("UPDATE meta SET value = '99' WHERE key = 'format'");
  state.close();
  const { status, said } = await tokeepRun(dir).ended;
  assert.equal(status, 3, said);
  assert.match(said, /format 99/);
  issuer.assertRequests(0);
});
