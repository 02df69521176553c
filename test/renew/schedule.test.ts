import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextRecheck, nextTry, renewalPoint } from '../../src/renew/schedule.ts';
import { after, between, days, hours, millis, minutes, seconds } from '../../src/token/time.ts';
import { noon } from './samples.ts';

const chance = fc.double({ min: 0, max: 0.999999, noNaN: true });

test('the renewal point lies between half and two thirds of what is left when the token came', () => {
  assert.equal(renewalPoint(noon, after(noon, hours(1)), 0), after(noon, minutes(30)));
  assert.equal(Math.round(between(noon, renewalPoint(noon, after(noon, hours(1)), 0.999999)) / 1000), 2376);
});

test('scenario 18: a life of nothing, or less, is no hot loop', () => {
  for (const life of [0, -5000, -86_400_000]) {
    assert.equal(renewalPoint(noon, after(noon, millis(life)), 0.5), after(noon, seconds(1)));
  }
});

test('the cap of the backoff doubles from 5 s to 5 min while the token lives long', () => {
  const caps = [1, 2, 3, 6, 7, 30].map((failures) => {
    const c = { now: noon, failures, expiresAt: after(noon, days(1)), retryAfter: undefined, chance: 1 };
    return between(noon, nextTry(c)) / 1000;
  });
  assert.deepEqual(caps, [5, 10, 20, 160, 300, 300]);
});

test('the cap grows to an hour once the token is gone, and no failure count makes it larger', () => {
  const c = { now: noon, failures: 60, expiresAt: undefined, retryAfter: undefined, chance: 1 };
  assert.equal(between(noon, nextTry(c)), hours(1));
});

test('a living token is never without a try in the last quarter of its time', () => {
  const c = { now: noon, failures: 20, expiresAt: after(noon, seconds(40)), retryAfter: undefined, chance: 1 };
  assert.equal(between(noon, nextTry(c)), seconds(10));
});

test('scenario 23: Retry-After is a floor, and cut so that one try happens while the token lives', () => {
  const c = { now: noon, failures: 1, expiresAt: after(noon, minutes(10)), chance: 0 };
  assert.equal(between(noon, nextTry({ ...c, retryAfter: after(noon, minutes(2)) })), minutes(2));
  assert.equal(between(noon, nextTry({ ...c, retryAfter: after(noon, days(3650)) })), minutes(5));
});

test('scenario 23: after expiry Retry-After is not cut by the time left, but ten years are taken for a mistake', () => {
  const c = { now: noon, failures: 1, expiresAt: noon, chance: 0 };
  assert.equal(between(noon, nextTry({ ...c, retryAfter: after(noon, hours(6)) })), hours(6));
  assert.equal(between(noon, nextTry({ ...c, retryAfter: after(noon, days(3650)) })), days(1));
});

test('property: a next try lies ahead by a second at least, and by no more than what bounds it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: -100, max: 100_000 }),
      chance,
      (failures, left, u) => {
        const expiresAt = after(noon, seconds(left));
        const delay = between(noon, nextTry({ now: noon, failures, expiresAt, retryAfter: undefined, chance: u }));
        assert.ok(delay >= 1000);
        assert.ok(delay <= (left > 0 ? Math.max(1000, Math.min(300_000, (left * 1000) / 4)) : 3_600_000));
      },
    ),
  );
});

test('scenario 9: what was refused is looked at again about once an hour', () => {
  assert.equal(between(noon, nextRecheck(noon, 0)), hours(1));
  assert.ok(between(noon, nextRecheck(noon, 0.99)) < minutes(67));
});
