import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KnownFamily } from '../../src/issue/family-table.ts';
import { judgeRefresh, type RefreshRow, refreshEnd, usualRefreshTimes } from '../../src/issue/refresh-rotation.ts';
import { newRefreshToken, openSuccessor, sealSuccessor } from '../../src/issue/refresh-table.ts';
import { after, days, type Epoch, epoch, hours } from '../../src/token/time.ts';
import { realRandom } from '../../src/world/real-random.ts';

const start = epoch(1_800_000_000_000);
const times = usualRefreshTimes;

const known = (changes: Partial<KnownFamily> = {}): KnownFamily => ({
  family: {
    id: 'f',
    client: 'c',
    subject: 's',
    scopes: [],
    groups: [],
    audiences: [],
    everyone: false,
    startedAt: start,
    endsAt: after(start, times.cap),
  },
  generation: 1,
  revokedAt: undefined,
  ...changes,
});

const current: RefreshRow = {
  family: 'f',
  generation: 1,
  state: 'current',
  issuedAt: start,
  endsAt: after(start, times.life),
  supersededAt: undefined,
  successor: undefined,
};
const superseded: RefreshRow = {
  ...current,
  state: 'superseded',
  supersededAt: after(start, days(21)),
  successor: 'x',
};

const verdicts: readonly (readonly [string, RefreshRow, Epoch, string, KnownFamily?])[] = [
  ['young', current, after(start, hours(1)), 'use'],
  ['at 69 % of its life', current, after(start, days(20.7)), 'use'],
  ['at 70 % of its life', current, after(start, days(21)), 'rotate'],
  ['at its end', current, current.endsAt, 'ended'],
  ['in grace', superseded, after(start, days(22)), 'repeat'],
  ['after its grace', superseded, epoch(after(start, days(22)) + 1), 'replay'],
  ['spent', { ...current, state: 'spent' }, after(start, days(22)), 'replay'],
  ['spent, in a family that was revoked', { ...current, state: 'spent' }, start, 'ended', known({ revokedAt: start })],
  ['young, in a family that was revoked', current, start, 'ended', known({ revokedAt: start })],
  [
    'young, in a family that has ended',
    { ...current, endsAt: after(start, days(999)) },
    after(start, times.cap),
    'ended',
  ],
];
for (const [what, row, now, verdict, family = known()] of verdicts) {
  test(`ISS-08: a refresh token that is ${what}: ${verdict}`, () => {
    assert.equal(judgeRefresh(row, family, now, times).kind, verdict);
  });
}

test('ISS-10: no token outlives the cap of its family, which does not move', () => {
  const cap = after(start, times.cap);
  assert.equal(refreshEnd(start, cap, times), after(start, times.life));
  assert.equal(refreshEnd(after(start, days(395)), cap, times), cap);
});

test('ISS-09: a successor opens only with the token before it, and only in its place', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (family, generation) => {
      const [before, other, successor] = [0, 1, 2].map(() => newRefreshToken(realRandom));
      assert.ok(before && other && successor);
      const bound = { family, generation };
      const sealed = sealSuccessor(before.reveal(), successor, bound);
      assert.ok(!sealed.includes(successor.reveal()));
      assert.ok(openSuccessor(before.reveal(), sealed, bound).equals(successor));
      assert.throws(() => openSuccessor(other.reveal(), sealed, bound));
      assert.throws(() => openSuccessor(before.reveal(), sealed, { family, generation: generation + 1 }));
    }),
    { numRuns: 50 },
  );
});

test('ISS-09: refresh tokens have 256 bits, and no two are alike', () => {
  const all = new Set(Array.from({ length: 1000 }, () => newRefreshToken(realRandom).reveal()));
  assert.equal(all.size, 1000);
  for (const one of all) assert.match(one, /^[A-Za-z0-9_-]{43}$/);
});
