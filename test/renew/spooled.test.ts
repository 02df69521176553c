import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { next } from '../../src/renew/account-state.ts';
import { Engine } from '../../src/renew/engine.ts';
import { noSteps } from '../../src/renew/steps.ts';
import type { AccountName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { hostileIssuer } from '../peers/hostile-issuer.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { manyWishes, oneLogin, setting } from './setting.ts';

const robot = 'robot' as AccountName;

async function withLogin() {
  const stack = new AsyncDisposableStack();
  const issuer = stack.use(await hostileIssuer());
  const clock = new PacedClock();
  const model = new ModelIssuer(clock, { grace: false });
  issuer.always(model.step);
  const here = stack.use(await setting({ config: oneLogin(issuer.issuer), world: { clock } }));
  await here.logIn('robot', 'family-1');
  return { here, model, stack, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('scenario 32: a successor that only the spool of this node has is used, though another node saw the old one refused', async () => {
  await using run = await withLogin();
  const { here } = run;
  const { spool, store } = here.engine.ports;
  const record = await here.account('robot');
  const reservation = await spool.reserve(robot);
  await reservation.save(new Secret('refresh_token', 'other-1'), record.generation + 1);
  // The other node's two steps.
  await store.saveAccount(next(record, {}));
  await store.saveAccount(next(next(record, {}), { login: 'dead' }));
  const { renewed } = await here.pass('forced');
  assert.equal(renewed, 1);
  assert.equal(await here.refreshToken('robot'), 'other-2');
});

test('scenario 13: a successor in the spool is not lost when the record it was spent from is damaged as well', async () => {
  await using run = await withLogin();
  const { here } = run;
  const { spool, store } = here.engine.ports;
  const record = await here.account('robot');
  const intent = {
    attempt: 'a',
    spends: record.credential?.fingerprint ?? '',
    at: here.world.clock.now(),
    outcome: 'open',
  };
  const intended = next(record, { intent } as Partial<typeof record>);
  await store.saveAccount(intended);
  const reservation = await spool.reserve(robot);
  await reservation.save(new Secret('refresh_token', 'other-1'), intended.generation + 1);
  const file = new DatabaseSync(join(here.dir, 'state', 'state.db'));
  file.exec(`UPDATE account SET doc = '{"torn' WHERE name = 'robot'`);
  file.close();
  await here.pass();
  assert.equal(await here.refreshToken('robot'), 'other-2');
});

test('a section with an error parks no wish that a running daemon keeps', async () => {
  await using stack = new AsyncDisposableStack();
  const issuer = stack.use(await hostileIssuer());
  const text = manyWishes(issuer.issuer, { logins: 2, robots: 0 });
  const here = stack.use(await setting({ config: text }));
  const file = join(here.dir, 'tokeep.yaml');
  const { world, store, spool, log, node } = here.engine.ports;
  await writeFile(file, text.replaceAll('DIR', here.dir).replace('wish2: { account', 'wish2: { acount'));
  const config = await loadConfig(world, file);
  assert.equal(config.wishes.size, 1);
  await Engine.open({ absent: 'park', world, config, store, spool, log, node, steps: noSteps });
  assert.equal((await here.wish('wish2')).state, 'kept');
});
