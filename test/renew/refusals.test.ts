import assert from 'node:assert/strict';
import { test } from 'node:test';
import { days, hours, minutes } from '../../src/token/time.ts';
import { hostileIssuer, json, token } from '../peers/hostile-issuer.ts';
import { DrivenDaemon } from './driven-daemon.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { manyWishes, oneLogin, setting } from './setting.ts';

const scope = 'storage.read:/';
const invalidGrant = json(400, { error: 'invalid_grant' });

test('scenario 3: two wishes of one account, from two engines at once, spend each refresh token once', async () => {
  await using issuer = await hostileIssuer();
  const clock = new PacedClock();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const config = oneLogin(
    issuer.issuer,
    '  second: { account: robot, scope: [storage.read:/], deliver: [{ file: DIR/second }] }',
  );
  await using first = await setting({ config });
  await first.logIn('robot', 'robot-1');
  const second = await setting({ config, dir: first.dir, node: 'node-2' });
  for (let round = 0; round < 3; round++) await Promise.all([first.pass('forced'), second.pass('forced')]);
  const sent = issuer.requests.map(({ form }) => form.get('refresh_token'));
  assert.ok(sent.length >= 6);
  assert.equal(new Set(sent).size, sent.length, `presented more than once: ${sent}`);
  assert.equal(await first.refreshToken('robot'), model.current('robot'));
  await second.close();
});

test('scenario 9: an hour of wrong refusals suspends the login, which is looked at once an hour, and recovers by itself', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  issuer.always(invalidGrant);
  await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
  await here.logIn('robot', 'rt-1');
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(59));
  issuer.assertRequests(1);
  const suspended = await here.status();
  assert.equal(suspended.accounts[0]?.login, 'suspended');
  assert.ok(suspended.conditions.some(({ code }) => code === 'login-suspended'));
  assert.equal(await here.refreshToken('robot'), 'rt-1');
  issuer.always(token({ scope }));
  await daemon.pass(minutes(10));
  issuer.assertRequests(2);
  const back = await here.status();
  assert.equal(back.accounts[0]?.login, 'ready');
  assert.deepEqual(
    back.conditions.filter(({ subject }) => subject.kind !== 'issuer'),
    [],
  );
});

test('scenario 9: after a day of refusals the login is dead: no more requests, and nothing is deleted', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  issuer.always(invalidGrant);
  await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
  await here.logIn('robot', 'rt-1');
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(hours(27));
  const asked = issuer.requests.length;
  assert.ok(asked >= 20 && asked <= 27, `${asked} requests in a day`);
  const status = await here.status();
  assert.equal(status.accounts[0]?.login, 'dead');
  const dead = status.conditions.find(({ code }) => code === 'login-needed');
  assert.equal(dead?.who, 'user');
  await daemon.pass(hours(6));
  issuer.assertRequests(asked);
  assert.equal(await here.refreshToken('robot'), 'rt-1');
});

test('scenario 23: a Retry-After to one wish holds for all of its issuer, and each living token still gets one try', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  await using here = await setting({ config: manyWishes(issuer.issuer, { logins: 0, robots: 10 }), world: { clock } });
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(1));
  assert.equal(model.requests.length, 10);
  model.trouble = json(429, { error: 'slow_down' }, { 'retry-after': '86400' });
  await daemon.pass(minutes(40));
  const asked = model.requests.length - 10;
  // The first to come hears of the quiet, up to four at a time; nobody else asks before half of what its token has left.
  assert.ok(asked >= 1 && asked <= 14, `${asked} requests into the quiet`);
  const status = await here.status();
  assert.ok((status.issuers[0]?.nextTry ?? 0) > clock.now(), 'the quiet is shown');
  await daemon.pass(minutes(25));
  assert.ok(model.requests.length - 10 <= 50, `${model.requests.length - 10} requests into a day of quiet`);
  assert.equal((await here.status()).totals.expired, 10);
});

const worse: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
  ['of another audience', { aud: 'https://other' }, /audience/],
  ['of another subject', { sub: 'somebody' }, /subject/],
  ['of another issuer', { iss: 'https://other' }, /issuer/],
  ['with fewer scopes', { scope: 'compute.read' }, /without storage.read/],
  ['that ends sooner', { exp: 600 }, /sooner/],
  ['that has expired', { exp: -600 }, /expired/],
];

for (const [name, change, sentence] of worse) {
  test(`scenario 26: a token ${name} does not replace the good one; the file stays, the difference is said, and there is backoff`, async () => {
    const clock = new PacedClock();
    await using issuer = await hostileIssuer();
    let changes: Readonly<Record<string, unknown>> = {};
    let count = 0;
    issuer.always((response, request) => {
      const iat = Math.floor(clock.now() / 1000);
      count += 1;
      const { exp, ...others } = { exp: 3600, iss: issuer.issuer, sub: 'robot', aud: 'https://a', scope, ...changes };
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = { ...others, iat, exp: iat + Number(exp), jti: `${count}` };
      response.setHeader('date', new Date(clock.now()).toUTCString());
      token({ access_token: `${part({ alg: 'none' })}.${part(claims)}.c2ln` })(response, request);
    });
    const config = oneLogin(issuer.issuer).replace('scope:', 'audience: [https://a]\n    scope:');
    await using here = await setting({ config, world: { clock } });
    await here.logIn('robot', 'rt-1');
    await using daemon = new DrivenDaemon(here.engine, clock);
    await daemon.pass(minutes(1));
    const good = await here.delivered('token');
    assert.ok(good);
    changes = change;
    await daemon.pass(minutes(44));
    assert.equal(await here.delivered('token'), good);
    const condition = (await here.status()).conditions.find(({ code }) => code === 'token-worse');
    assert.match(condition?.sentence ?? '', sentence);
    assert.ok(issuer.requests.length >= 2 && issuer.requests.length <= 25, `${issuer.requests.length} requests`);
  });
}

test('scenario 31: what throws for one account stays with it: seen, counted, tried again with backoff; the others go on', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const config = manyWishes(issuer.issuer, { logins: 2, robots: 1 });
  await using here = await setting({ config, world: { clock } });
  await here.logIn('login1', 'family-1');
  await here.logIn('login2', 'other-1');
  const { lockAccount } = here.store;
  here.store.lockAccount = async (name, signal) => {
    if (name === 'login1') throw new TypeError('a bug in our own code');
    return await lockAccount(name, signal);
  };
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(10));
  const broken = await here.wish('wish1');
  assert.equal(broken.trouble?.code, 'bug');
  assert.ok(broken.failures >= 2 && broken.failures < 40, `${broken.failures} tries`);
  assert.equal((await here.status()).totals.valid, 2);
  here.store.lockAccount = lockAccount;
  await daemon.pass(hours(1));
  assert.equal((await here.status()).totals.valid, 3);
});

test('scenario 38: of three targets one is dead: the others have the token, the dead one is said and tried again', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  issuer.always(new ModelIssuer(clock).step);
  const config = oneLogin(issuer.issuer).replace(
    '[{ file: DIR/token }]',
    '[{ file: DIR/one }, { file: DIR/not-there/two }, { file: DIR/three }]',
  );
  await using here = await setting({ config, world: { clock } });
  await here.logIn('robot', 'robot-1');
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(5));
  assert.equal(await here.delivered('one'), 'token-1');
  assert.equal(await here.delivered('three'), 'token-1');
  const status = await here.status();
  assert.deepEqual(status.wishes[0]?.targets.map(({ state }) => state).sort(), ['delivered', 'delivered', 'failing']);
  assert.equal(status.wishes[0]?.state, 'valid', 'the renewal is not to blame');
  issuer.assertRequests(1);
});

test('scenario 45: a month without a login, and a clock that jumps, delete nothing; what is parked returns', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const config = manyWishes(issuer.issuer, { logins: 2, robots: 0 });
  const first = await setting({ config, world: { clock } });
  await first.logIn('login1', 'family-1');
  await first.logIn('login2', 'other-1');
  await first.pass();
  await first.close();
  const without = manyWishes(issuer.issuer, { logins: 1, robots: 0 });
  const second = await setting({ config: without, dir: first.dir, world: { clock } });
  model.trouble = invalidGrant;
  for (let day = 0; day < 30; day++) {
    clock.advance(days(1));
    await second.pass();
  }
  clock.advance(days(1000));
  await second.pass();
  clock.set(1_000_000 as never);
  await second.pass();
  assert.equal((await second.wish('wish2')).state, 'parked');
  assert.equal(await second.refreshToken('login1'), 'family-2');
  assert.equal(await second.refreshToken('login2'), 'other-2');
  await second.close();
  clock.set(Date.UTC(2027, 0, 1) as never);
  model.trouble = undefined;
  await using third = await setting({ config, dir: first.dir, world: { clock } });
  await third.pass();
  assert.equal((await third.wish('wish2')).state, 'kept');
  assert.equal(await third.delivered('wish2'), `token-3`);
});
