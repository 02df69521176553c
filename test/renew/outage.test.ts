import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../../src/renew/simulation.ts';
import { after, days, hours, millis, minutes, seconds } from '../../src/token/time.ts';
import { hostileIssuer, json } from '../peers/hostile-issuer.ts';
import { DrivenDaemon } from './driven-daemon.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { noon } from './samples.ts';
import { manyWishes, oneLogin, setting } from './setting.ts';

test('scenario 10: four days without the issuer cost its probes, also over a restart; then all recover without a person', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const config = manyWishes(issuer.issuer, { logins: 10, robots: 40 });
  const first = await setting({ config, world: { clock } });
  for (let n = 1; n <= 10; n++) await first.logIn(`login${n}`, `family${n}-1`);
  {
    await using daemon = new DrivenDaemon(first.engine, clock);
    await daemon.pass(minutes(2));
    assert.equal((await first.status()).totals.valid, 50);
    model.trouble = json(500, 'down');
    await daemon.pass(hours(2));
    const status = await first.status();
    assert.equal(status.totals.expired, 50);
    assert.equal(status.issuers[0]?.circuit, 'open');
    const down = status.conditions.find(({ subject }) => subject.kind === 'issuer');
    assert.equal(down?.who, 'wait');
    assert.ok((down?.nextTry ?? 0) > clock.now(), 'the next try is said');
    const blames = status.conditions.filter(({ subject }) => subject.kind === 'wish');
    assert.ok(
      blames.every(({ who }) => who === 'wait'),
      'nobody has to do anything',
    );
  }
  await first.close();
  const beforeReturn = model.requests.length;
  // 50 first requests, what it took to notice, and a probe every few minutes.
  assert.ok(beforeReturn < 50 + 10 + 2 * 30, `${beforeReturn} requests in two hours without an answer`);

  clock.advance(days(4));
  await using second = await setting({ config, dir: first.dir, world: { clock } });
  await using daemon = new DrivenDaemon(second.engine, clock);
  await daemon.pass(minutes(30));
  assert.ok(model.requests.length - beforeReturn <= 10, 'a restart does not forget the outage');
  assert.equal((await second.store.wishes()).length, 50);

  model.trouble = undefined;
  const returned = model.requests.length;
  await daemon.pass(minutes(15));
  const status = await second.status();
  assert.equal(status.totals.valid, 50, JSON.stringify(status.totals));
  assert.ok(model.requests.length - returned <= 60, 'at most 1.2 times what was needed');
  assert.deepEqual(model.violations, []);
});

test('scenario 10: four whole days without an issuer, for two hundred wishes: one probe in minutes, and all are back within ten minutes', () => {
  const from = noon;
  const outage = { from: after(from, hours(2)), to: after(from, days(4)) };
  const life = hours(1);
  let seed = 7;
  const chance = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const limits = { concurrency: 4, perSecond: 10 };
  const { requests, gaps, mostInFlight } = simulate({
    from,
    to: after(outage.to, minutes(10)),
    wishes: Array.from({ length: 200 }, () => ({ issuer: 0, life, expiresAt: null, dueAt: from })),
    issuers: [{ limits, outages: [outage] }],
    latency: millis(100),
    chance,
  });
  const needed = 200 * (2 * 2 + 1);
  assert.ok((requests[0] ?? 0) < needed + 94 * 30, `${requests[0]} requests`);
  assert.ok((mostInFlight[0] ?? 0) <= 4);
  assert.deepEqual(
    gaps.filter(({ to }) => to === null),
    [],
  );
});

test('scenario 24: five hundred wishes that come back together keep the limits of their issuer', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  model.trouble = json(500, 'down');
  issuer.always(model.step);
  const count = 500;
  const config = manyWishes(issuer.issuer, { logins: 0, robots: count }, '', { deliver: false });
  await using here = await setting({ config, world: { clock } });
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(3));
  assert.ok(model.requests.length < 30, `${model.requests.length} requests to an issuer that is down`);
  model.trouble = undefined;
  const before = model.requests.length;
  await daemon.pass(minutes(30));
  assert.equal((await here.status()).totals.valid, count);
  assert.ok(model.mostInFlight <= here.config.limits.concurrency, `${model.mostInFlight} at a time`);
  assert.ok(model.requests.length - before <= 1.2 * count);
});

test('scenario 25: an issuer that always fails sees a handful of requests an hour, from a daemon that never stops trying', async () => {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  model.trouble = json(500, 'down');
  issuer.always(model.step);
  await using here = await setting({ config: oneLogin(issuer.issuer), world: { clock } });
  await here.logIn('robot', 'robot-1');
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(hours(1));
  const first = model.requests.length;
  // Five to open the circuit, then pauses of 5 s that double to 5 min, of which at least half is kept.
  assert.ok(first >= 8 && first <= 5 + 7 + 24, `${first} requests in the first hour`);
  await daemon.pass(hours(3));
  assert.ok(model.requests.length - first <= 3 * 24, `${model.requests.length - first} in the three hours after it`);
  assert.ok(clock.longestSleep <= seconds(60));
  assert.equal((await here.wish('monitoring')).trouble?.who, 'wait');
});
