import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lifetimeOf } from '../../src/token/lifetime.ts';
import { days, epochFromSeconds, minutes, seconds } from '../../src/token/time.ts';

const now = 1_800_000_000;
const sentAt = epochFromSeconds(now);
const year = 365 * 86_400;

/** Life and start in seconds, counted from when the request was sent. */
function lived(claims: Readonly<Record<string, unknown>>, expiresIn?: number) {
  const life = lifetimeOf(claims, { sentAt, expiresIn: expiresIn === undefined ? undefined : seconds(expiresIn) });
  return [(life.issuedAt - sentAt) / 1000, (life.expiresAt - sentAt) / 1000, life.lifeFrom];
}

test('scenario 18: a life is exp - max(nbf, iat), else expires_in, else ten minutes, whatever nonsense is said', () => {
  const table: readonly [claims: Record<string, unknown>, expiresIn: number | undefined, expected: unknown[]][] = [
    [{ iat: now, exp: now + 3600 }, undefined, [0, 3600, 'exp']],
    [{ iat: now - 10, nbf: now + 20, exp: now + 3600 }, 999, [20, 3600, 'exp']],
    [{ iat: now - 10, nbf: now - 30, exp: now + 3600.5 }, undefined, [-10, 3600.5, 'exp']],
    [{ exp: now + 60 }, undefined, [0, 60, 'exp']],
    [{ iat: now }, 300, [0, 300, 'expires_in']],
    [{ iat: now, exp: String(now + 60) }, 300, [0, 300, 'expires_in']],
    [{ iat: now, exp: -1 }, 300, [-now, -now, 'exp']],
    [{ iat: now, exp: 0 }, 300, [-now, -now, 'exp']],
    [{ iat: now, exp: Number.NEGATIVE_INFINITY }, undefined, [-now, -now, 'exp']],
    [{ iat: 0, nbf: -1, exp: now + 60 }, undefined, [0, 60, 'exp']],
    [{ exp: null }, -5, [0, 600, 'assumed']],
    [{ iat: now, exp: Number.POSITIVE_INFINITY }, undefined, [0, year, 'exp']],
    [{ iat: now, exp: now + 50 * year }, undefined, [0, year, 'exp']],
    [{ iat: 1, exp: now + 60 }, undefined, [0, 60, 'exp']],
    [{ iat: now + 7200, exp: now + 3600 }, undefined, [0, 3600, 'exp']],
    [{ iat: 'yesterday', nbf: {}, exp: now + 60 }, undefined, [0, 60, 'exp']],
    [{}, 50 * year, [0, year, 'expires_in']],
  ];
  for (const [claims, expiresIn, expected] of table) {
    assert.deepEqual(lived(claims, expiresIn), expected, JSON.stringify(claims));
  }
});

test('scenario 26: a token that has ended is never taken for a fresh one, however long ago that was', () => {
  for (const exp of [1, now - 50 * year, now - 3600, now - 1]) {
    const [start, end, from] = lived({ exp, iat: exp - 60 }, 3600) as [number, number, string];
    assert.ok(end < 0 && start <= end, `exp ${exp}`);
    assert.equal(from, 'exp');
  }
});

test('scenario 22: with clocks apart the life is still the one the issuer meant', () => {
  for (const skew of [-86_400, -60, 60, 86_400]) {
    const life = lifetimeOf({ iat: now + skew, nbf: now + skew, exp: now + skew + 3600 }, { sentAt });
    assert.equal(life.expiresAt - life.issuedAt, seconds(3600));
  }
});

test('any claims give a start before the end, and an end within a year of today', () => {
  const anything = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.integer({ min: now - year, max: now + year }));
  fc.assert(
    fc.property(anything, anything, anything, fc.double(), (iat, nbf, exp, expiresIn) => {
      const life = lifetimeOf({ iat, nbf, exp }, { sentAt, expiresIn: minutes(expiresIn) });
      assert.ok(life.issuedAt <= life.expiresAt);
      assert.ok(life.expiresAt <= sentAt + 2 * days(365));
    }),
  );
});
