import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeKeyPair } from '../../src/mint/key-pair.ts';
import { afterStep, nextStep, urgentStep } from '../../src/mint/rotation.ts';
import { defaultRotation } from '../../src/mint/settings.ts';
import type { SigningKey } from '../../src/mint/signing-key.ts';
import { after, days, type Epoch, epoch, hours, latest, minutes } from '../../src/token/time.ts';

const { jwk } = await makeKeyPair('ES256');
const start = epoch(Date.UTC(2026, 10, 22));

const key = (kid: string, more: Partial<SigningKey>): SigningKey => ({
  kid,
  algorithm: 'ES256',
  state: 'next',
  jwk: { ...jwk, kid },
  home: { kind: 'sealed' },
  origin: 'made',
  createdAt: start,
  ...more,
});
const signing = key('old', { state: 'signing', signsSince: start, publishedAt: start });
const at = (...lengths: readonly number[]): Epoch => epoch(lengths.reduce((sum, length) => sum + length, start));

test('a successor is made in time for the key to be relieved when its life is over', () => {
  const early = nextStep([signing], defaultRotation, at(days(180)));
  assert.ok(early.kind === 'wait');
  assert.deepEqual([early.would.kind, early.breaks, early.until], ['make', false, at(days(180.5))]);
  assert.match(early.why, /the key old signs, and its successor is due 2027-05-21T12:00:00Z/);
  assert.deepEqual(nextStep([signing], defaultRotation, at(days(180.5))), { kind: 'make' });
});

test('scenario 43: a key that nobody can know does not sign', () => {
  const unpublished = nextStep([signing, key('new', {})], defaultRotation, at(days(400)));
  assert.ok(unpublished.kind === 'wait');
  assert.deepEqual(
    [unpublished.would, unpublished.until, unpublished.breaks],
    [{ kind: 'promote', kid: 'new', retires: 'old' }, undefined, true],
  );
  const keys = [signing, key('new', { publishedAt: at(days(1)) })];
  const early = nextStep(keys, defaultRotation, at(days(3), -1));
  assert.ok(early.kind === 'wait' && early.until === at(days(3)));
  assert.deepEqual(nextStep(keys, defaultRotation, at(days(3))), { kind: 'promote', kid: 'new', retires: 'old' });
});

test('scenario 43: a retired key stays until its last token has ended, and a little longer', () => {
  const retired = key('old', { state: 'retired', retiredAt: start, lastExpiry: at(hours(6)) });
  const keys = [retired, key('new', { state: 'signing', signsSince: start })];
  const early = nextStep(keys, defaultRotation, at(hours(7), -1));
  assert.ok(early.kind === 'wait' && early.until === at(hours(7)) && early.breaks);
  assert.deepEqual(nextStep(keys, defaultRotation, at(hours(7))), { kind: 'remove', kid: 'old' });
});

test('without a key that signs one is made, and the first that is published relieves nobody', () => {
  assert.deepEqual(nextStep([], defaultRotation, start), { kind: 'make' });
  const next = nextStep([key('new', { publishedAt: start })], defaultRotation, at(days(2)));
  assert.deepEqual(next, { kind: 'promote', kid: 'new' });
});

test('in an incident the key that signs is relieved and removed first; one that was retired in peace stays for its tokens', () => {
  const peaceful = key('peaceful', { state: 'retired', retiredAt: start, lastExpiry: at(hours(6)) });
  const lost = key('lost', { state: 'signing', signsSince: start, publishedAt: start });
  assert.deepEqual(urgentStep([peaceful, lost]), { kind: 'make' });
  const made = [peaceful, lost, key('new', { createdAt: at(1) })];
  const promotion = urgentStep(made);
  assert.ok(promotion.kind === 'promote');
  assert.deepEqual([promotion.kid, promotion.retires], ['new', 'lost']);
  const promoted = afterStep(made, promotion, at(2), true);
  const removal = urgentStep(promoted);
  assert.ok(removal.kind === 'remove' && removal.kid === 'lost');
  const waits = nextStep(promoted, defaultRotation, at(2));
  assert.ok(waits.kind === 'wait' && waits.would.kind === 'remove' && waits.would.kid === 'lost');
  const removed = afterStep(promoted, removal, at(3), true);
  assert.deepEqual(urgentStep(removed), { kind: 'make' }, 'a key that was retired in peace would go');
  // Whenever it is: after the time of the peaceful one the three steps are the same.
  assert.deepEqual(urgentStep([{ ...peaceful, lastExpiry: start }, lost]), { kind: 'make' });
});

/** What happens in between: somebody rotates, somebody publishes, somebody signs, or time passes. */
const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 4 * 1440 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'rotate' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'publish' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('sign' as const), minutes: fc.integer({ min: 1, max: 360 }) }),
  },
);

interface Token {
  readonly kid: string;
  readonly issuedAt: Epoch;
  readonly expiresAt: Epoch;
}

test('scenario 43: whatever the order of things, every token verifies with a key set fetched up to two days ago', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 50, maxLength: 400 }), (acts) => {
      const times = { ...defaultRotation, life: days(10) };
      let now: Epoch = start;
      let keys: readonly SigningKey[] = [signing];
      /** The key sets that were ever to be fetched, and from when. */
      const published: { readonly since: Epoch; readonly kids: readonly string[] }[] = [
        { since: at(-days(3)), kids: ['old'] },
      ];
      const tokens: Token[] = [];
      const publish = () => {
        keys = keys.map((one) =>
          one.state !== 'removed' && one.publishedAt === undefined ? { ...one, publishedAt: now } : one,
        );
        published.push({ since: now, kids: keys.filter(({ state }) => state !== 'removed').map(({ kid }) => kid) });
      };
      for (const one of acts) {
        if (one.kind === 'pass') now = after(now, minutes(one.minutes));
        if (one.kind === 'publish') publish();
        if (one.kind === 'sign') {
          const signer = keys.find(({ state }) => state === 'signing') as SigningKey;
          const expiresAt = after(now, minutes(one.minutes));
          tokens.push({ kid: signer.kid, issuedAt: now, expiresAt });
          const raised = { ...signer, lastExpiry: latest(signer.lastExpiry ?? expiresAt, expiresAt) };
          keys = keys.map((other) => (other === signer ? raised : other));
        }
        if (one.kind === 'rotate') {
          const step = nextStep(keys, times, now);
          if (step.kind === 'make') keys = [...keys, key(`k${keys.length}`, { createdAt: now })];
          else if (step.kind !== 'wait') keys = afterStep(keys, step, now);
          // A key that goes is taken off the site at once, which is the worst that can happen to a verifier.
          if (step.kind === 'remove') publish();
        }
        assert.equal(keys.filter(({ state }) => state === 'signing').length, 1);
        assert.ok(keys.filter(({ state }) => state === 'next').length <= 1);
      }
      for (const token of tokens) {
        // Of each key set: the first and the last moment at which somebody verifies the token with it, at most two days after the fetch.
        for (const [index, { since, kids }] of published.entries()) {
          const until = published[index + 1]?.since ?? after(now, days(400));
          const used = after(until, days(2)) > token.issuedAt && since < token.expiresAt;
          if (used) assert.ok(kids.includes(token.kid), `a token of ${token.kid} would have been refused`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
