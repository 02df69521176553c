import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { Engine } from '../../src/renew/engine.ts';
import { minutes } from '../../src/token/time.ts';
import { hostileIssuer } from '../peers/hostile-issuer.ts';
import { DrivenDaemon } from './driven-daemon.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { manyWishes, setting } from './setting.ts';

/** A daemon with two logins, and the same with other configurations. */
async function running(clock: PacedClock) {
  const stack = new AsyncDisposableStack();
  const issuer = stack.use(await hostileIssuer());
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const both = manyWishes(issuer.issuer, { logins: 2, robots: 0 });
  const here = stack.use(await setting({ config: both, world: { clock } }));
  await here.logIn('login1', 'family-1');
  await here.logIn('login2', 'other-1');
  const driven = stack.use(new DrivenDaemon(here.engine, clock));
  await driven.pass(minutes(1));
  const file = join(here.dir, 'tokeep.yaml');
  const reload = async (text: string) => {
    await writeFile(file, text.replaceAll('DIR', here.dir));
    await driven.daemon.reload(() => loadConfig(here.world, file));
    await driven.pass(minutes(1));
  };
  const one = manyWishes(issuer.issuer, { logins: 1, robots: 0 });
  return { here, model, driven, reload, both, one, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('scenario 35: a configuration with an error changes nothing; the running one goes on renewing', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  await run.reload(run.one.replace('grant: refresh_token', 'grant: refresh_tokne'));
  assert.equal(run.here.engine.config.wishes.size, 2);
  await run.driven.pass(minutes(45));
  assert.equal(run.model.requests.length, 4);
  assert.equal((await run.here.status()).totals.valid, 2);
});

test('scenario 35: a removed account and its wish are parked with login and token, and return without a new login', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  await run.reload(run.one);
  assert.equal((await run.here.wish('wish2')).state, 'parked');
  assert.equal(await run.here.refreshToken('login2'), 'other-2');
  assert.match((await run.here.delivered('wish2')) ?? '', /^token-[12]$/, 'what was delivered stays');
  await run.driven.pass(minutes(60));
  assert.equal(await run.here.refreshToken('login2'), 'other-2', 'nothing is asked for it');
  assert.ok((await run.here.status()).conditions.some(({ code }) => code === 'parked'));
  await run.reload(run.both);
  assert.equal((await run.here.wish('wish2')).state, 'kept');
  assert.equal((await run.here.status()).totals.valid, 2);
  assert.deepEqual(run.model.violations, []);
});

test('scenario 35: a renamed wish is a new one, and the old one is parked', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  await run.reload(run.both.replace('  wish2:', '  renamed:'));
  assert.equal((await run.here.wish('wish2')).state, 'parked');
  assert.equal((await run.here.wish('renamed')).state, 'kept');
  assert.equal((await run.here.status()).totals.valid, 2);
});

test('a get with another configuration on the same state parks nothing of the daemon', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  const { world, store, spool, log, node } = run.here.engine.ports;
  const { config } = run.here;
  const without = { ...config, wishes: new Map([...config.wishes].slice(0, 1)) };
  await Engine.open({ absent: 'keep', world, config: without, store, spool, log, node });
  const states = (await store.wishes()).map(({ state }) => state);
  assert.deepEqual(states, ['kept', 'kept']);
  await Engine.open({ absent: 'park', world, config: without, store, spool, log, node });
  assert.equal((await store.wishes()).filter(({ state }) => state === 'parked').length, 1);
});
