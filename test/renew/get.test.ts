import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../src/renew/engine.ts';
import { getToken } from '../../src/renew/get.ts';
import type { Store } from '../../src/store/store.ts';
import type { Scope } from '../../src/token/names.ts';
import { days } from '../../src/token/time.ts';
import { hostileIssuer, json, token } from '../peers/hostile-issuer.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { neverAborted, oneLogin, setting } from './setting.ts';

test('get spends nothing when somebody else renewed between its look and its claim', async () => {
  await using issuer = await hostileIssuer();
  const clock = new PacedClock();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
  await here.logIn('robot', 'family-1');
  const { world, spool, log, node } = here.engine.ports;
  const before = await here.wish('monitoring');
  await here.pass();
  let looks = 0;
  const store: Store = {
    ...here.store,
    wishes: async (names) => (looks++ === 0 ? [before] : here.store.wishes(names)),
  };
  const engine = await Engine.open({ absent: 'park', world, config: here.config, store, spool, log, node });
  const got = await getToken(engine, 'monitoring', { signals: neverAborted });
  assert.equal(got.token.reveal(), 'token-1');
  assert.equal(model.requests.length, 1);
  const [free] = await engine.claim(1, [before.name]);
  assert.notEqual(free, undefined, 'the claim was given back');
});

test('get in a loop does not ask again what was definitely refused; renew --force does', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.always(json(400, { error: 'invalid_scope' }));
  const get = () => getToken(here.engine, 'monitoring', { signals: neverAborted });
  await assert.rejects(get, { code: 'request-refused' });
  await assert.rejects(get, { code: 'request-refused', hint: /renew --force monitoring/ });
  issuer.assertRequests(1);
  await here.pass('forced');
  issuer.assertRequests(2);
});

test('a narrowed token with less than was asked for is not handed out', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.always(token({ scope: 'storage.read:/' }));
  const scope = ['storage.read:/', 'storage.create:/'] as unknown as readonly Scope[];
  await assert.rejects(getToken(here.engine, 'monitoring', { scope, signals: neverAborted }), {
    code: 'request-refused',
    message: /without storage.create:/,
  });
});

test('get that asks for more than tokens live says so, and spends nothing on it in a loop', async () => {
  await using issuer = await hostileIssuer();
  const clock = new PacedClock();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
  await here.logIn('robot', 'family-1');
  const get = () => getToken(here.engine, 'monitoring', { minLifetime: days(2), signals: neverAborted });
  for (let again = 0; again < 3; again += 1) {
    await assert.rejects(get, { code: 'life-too-short', exit: 5, message: /and 172800 s were asked for/ });
  }
  assert.equal(model.requests.length, 1);
});
