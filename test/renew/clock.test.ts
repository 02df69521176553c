import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, days, epoch, hours, minutes, seconds } from '../../src/token/time.ts';
import { hostileIssuer, json, type Step, token } from '../peers/hostile-issuer.ts';
import { DrivenDaemon } from './driven-daemon.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { manyWishes, oneLogin, setting } from './setting.ts';

const unsigned = (claims: Readonly<Record<string, unknown>>): string => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.c2ln`;
};

const lives: readonly (readonly [string, string])[] = [
  ['negative', '-1'],
  ['zero', '0'],
  ['fractional', '0.001'],
  ['a text', '"soon"'],
  ['infinite', '1e400'],
  ['a hundred years', '3153600000'],
  ['above 24.8 days', '2592000'],
  ['null', 'null'],
  ['missing', ''],
];

for (const [name, life] of lives) {
  test(`scenario 18: an expires_in that is ${name} makes no hot loop in three hours`, async () => {
    const clock = new PacedClock();
    await using issuer = await hostileIssuer();
    let count = 0;
    const answer: Step = (response, request) => {
      count += 1;
      const expires = life === '' ? '' : `,"expires_in":${life}`;
      const text = `{"access_token":"token-${count}","token_type":"Bearer","scope":"storage.read:/"${expires}}`;
      json(200, text)(response, request);
    };
    issuer.always(answer);
    await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
    await here.logIn('robot', 'rt-1');
    await using daemon = new DrivenDaemon(here.engine, clock);
    await daemon.pass(hours(3));
    // Ten minutes are assumed where nothing usable is said: at most one request in five.
    assert.ok(issuer.requests.length <= 3 * 12 + 1, `${issuer.requests.length} requests in three hours`);
    assert.ok(issuer.requests.length >= 1);
    assert.ok(clock.longestSleep <= seconds(60));
  });
}

for (const exp of [-1, 0, 1, 'tomorrow', Number.MAX_VALUE, 4_102_444_800, null]) {
  test(`scenario 18: a JWT with exp ${exp} makes no hot loop in two hours`, async () => {
    const clock = new PacedClock();
    await using issuer = await hostileIssuer();
    let count = 0;
    issuer.always((response, request) => {
      count += 1;
      const iat = Math.floor(clock.now() / 1000);
      const text = unsigned({ exp, iat, jti: `${count}`, scope: 'storage.read:/' });
      response.setHeader('date', new Date(clock.now()).toUTCString());
      token({ access_token: text })(response, request);
    });
    await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
    await here.logIn('robot', 'rt-1');
    await using daemon = new DrivenDaemon(here.engine, clock);
    await daemon.pass(hours(2));
    assert.ok(issuer.requests.length <= 2 * 13, `${issuer.requests.length} requests in two hours`);
  });
}

/** A daemon that has kept three tokens fresh for ten minutes. */
async function running(clock: PacedClock) {
  const issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const config = manyWishes(issuer.issuer, { logins: 1, robots: 2 });
  const here = await setting({ config, world: { clock } });
  await here.logIn('login1', 'family-1');
  const daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(10));
  const stack = new AsyncDisposableStack();
  stack.use(issuer);
  stack.use(here);
  stack.use(daemon);
  return { here, model, daemon, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('scenario 19: a clock set forward by a day is noticed within a minute, and each token renewed once', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  clock.set(after(clock.now(), days(1)));
  await run.daemon.pass(minutes(2));
  assert.equal(run.model.requests.length, 6);
  const { totals, wishes } = await run.here.status();
  assert.equal(totals.valid, 3);
  assert.ok(wishes.every(({ nextAt }) => (nextAt ?? 0) < after(clock.now(), hours(1))));
});

test('scenario 19: a clock set back by a day is noticed within a minute; at most one renewal each, and due times that fit', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  clock.set(after(clock.now(), days(-1)));
  await run.daemon.pass(minutes(3));
  assert.ok(run.model.requests.length <= 6, `${run.model.requests.length} requests`);
  const { totals, wishes } = await run.here.status();
  assert.equal(totals.valid, 3);
  assert.ok(wishes.every(({ nextAt }) => (nextAt ?? 0) < after(clock.now(), hours(1))));
});

test('scenario 19: a backoff does not hang in the future after the clock was set back', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  run.model.trouble = json(500, 'down');
  await run.daemon.pass(hours(3));
  clock.set(after(clock.now(), days(-30)));
  run.model.trouble = undefined;
  await run.daemon.pass(minutes(8));
  assert.equal((await run.here.status()).totals.valid, 3);
});

test('scenario 19: started with a clock in 1970 nothing is asked, expired or deleted; when the clock is set, all goes on', async () => {
  const clock = new PacedClock(epoch(0));
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
  await here.logIn('robot', 'robot-1');
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(10));
  assert.equal(model.requests.length, 0);
  clock.set(epoch(Date.UTC(2026, 10, 22)));
  await daemon.pass(minutes(2));
  assert.equal(model.requests.length, 1);
  assert.equal((await here.status()).totals.valid, 1);
});

test('scenario 20: after eight hours of sleep everything is renewed within a minute, once', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  clock.set(after(clock.now(), hours(8)));
  await run.daemon.pass(seconds(75));
  assert.equal(run.model.requests.length, 6);
  assert.equal((await run.here.status()).totals.valid, 3);
  assert.deepEqual(run.model.violations, []);
});

for (const off of [minutes(10), minutes(-10)]) {
  test(`scenario 22: an issuer whose clock is ${off / 60_000} min off: its tokens are taken, the difference is said, and there is no loop`, async () => {
    const clock = new PacedClock();
    await using issuer = await hostileIssuer();
    let count = 0;
    issuer.always((response, request) => {
      count += 1;
      const theirs = after(clock.now(), off);
      const iat = Math.floor(theirs / 1000);
      response.setHeader('date', new Date(theirs).toUTCString());
      const claims = { iss: issuer.issuer, iat, nbf: iat, exp: iat + 300, jti: `${count}`, scope: 'storage.read:/' };
      token({ access_token: unsigned(claims), expires_in: 300 })(response, request);
    });
    await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
    await here.logIn('robot', 'rt-1');
    await using daemon = new DrivenDaemon(here.engine, clock);
    await daemon.pass(minutes(60));
    assert.ok(issuer.requests.length >= 18 && issuer.requests.length <= 25, `${issuer.requests.length} requests`);
    const status = await here.status();
    assert.equal(status.totals.valid + status.totals.due, 1);
    assert.ok(Math.abs((status.issuers[0]?.skew ?? 0) + off) < 2_000);
    assert.ok(status.conditions.some(({ code }) => code === 'clock-skew'));
  });
}
