import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judge, type Verdict, type VerdictPolicy } from '../../src/renew/verdict.ts';
import type { Trouble } from '../../src/store/records.ts';
import { after, days, epoch, hours, millis, minutes, seconds } from '../../src/token/time.ts';
import { aRecord, aToken, noon } from './samples.ts';

const daemon: VerdictPolicy = { mode: 'daemon' };
const pass: VerdictPolicy = { mode: 'pass' };
const terms = { fingerprint: 'w1', freshness: 'due-point' } as const;

const trouble = (change: Partial<Trouble> = {}): Trouble => ({
  code: 'issuer-unreachable',
  who: 'wait',
  sentence: 'no connection',
  since: noon,
  lastAt: noon,
  attempts: 1,
  nextTry: after(noon, seconds(30)),
  ...change,
});

const reasonOf = (verdict: Verdict) => (verdict.kind === 'due' ? verdict.reason : verdict.kind);

test('a wish without a token is due at once, and critical', () => {
  const verdict = judge(terms, undefined, noon, daemon);
  assert.equal(reasonOf(verdict), 'no-token');
  assert.equal(verdict.kind === 'due' && verdict.urgency, 'critical');
});

test('a fresh token is left alone until its renewal point, and not a moment longer', () => {
  const record = aRecord({ renewAt: after(noon, minutes(33)) });
  assert.deepEqual(judge(terms, record, after(noon, minutes(32)), daemon), {
    kind: 'fresh',
    until: after(noon, minutes(33)),
    because: 'the token is fresh',
  });
  assert.equal(reasonOf(judge(terms, record, after(noon, minutes(33)), daemon)), 'renewal-point');
});

test('less than the wished minimum is a deadline before the renewal point', () => {
  const wished = { ...terms, minLifetime: minutes(50) };
  const record = aRecord({ renewAt: after(noon, minutes(35)) });
  const fresh = judge(wished, record, after(noon, minutes(9)), daemon);
  assert.deepEqual(fresh.kind === 'fresh' && fresh.until, after(noon, minutes(10)));
  assert.equal(reasonOf(judge(wished, record, after(noon, minutes(10)), daemon)), 'below-minimum');
});

test('a minimum that no token of the issuer reaches does not make a loop: the renewal point decides', () => {
  const wished = { ...terms, minLifetime: hours(2) };
  const record = aRecord({ renewAt: after(noon, minutes(35)) });
  assert.equal(judge(wished, record, after(noon, minutes(1)), daemon).kind, 'fresh');
  assert.equal(reasonOf(judge(wished, record, after(noon, minutes(35)), daemon)), 'renewal-point');
});

test('a token with a tenth of its life left is critical, an expired one too', () => {
  const record = aRecord({ renewAt: after(noon, minutes(30)) });
  const urgency = (verdict: Verdict) => (verdict.kind === 'due' ? verdict.urgency : undefined);
  assert.equal(urgency(judge(terms, record, after(noon, minutes(40)), daemon)), 'normal');
  assert.equal(urgency(judge(terms, record, after(noon, minutes(55)), daemon)), 'critical');
  assert.equal(urgency(judge(terms, record, after(noon, minutes(61)), daemon)), 'critical');
});

test('scenario 51: a token that lives hardly longer than min_lifetime is used for a fiftieth of its life, and not renewed without a pause', () => {
  const lives = aToken({ issuedAt: noon, expiresAt: after(noon, seconds(400)) });
  const record = aRecord({ token: lives, renewAt: after(noon, seconds(230)) });
  const wished = { ...terms, minLifetime: seconds(399) };
  const verdict = judge(wished, record, after(noon, seconds(2)), daemon);
  assert.deepEqual(verdict.kind === 'fresh' && verdict.until, after(noon, seconds(8)));
});

test("OSG's ini without min_lifetime wants a new token in every pass, and the due point in the daemon", () => {
  const each = { ...terms, freshness: 'each-pass' } as const;
  assert.equal(reasonOf(judge(each, aRecord(), after(noon, minutes(1)), pass)), 'each-pass');
  assert.equal(judge(each, aRecord(), after(noon, minutes(1)), daemon).kind, 'fresh');
});

test('a changed wish is due although its token is fresh', () => {
  const changed = { ...terms, fingerprint: 'w2' };
  assert.equal(reasonOf(judge(changed, aRecord(), noon, daemon)), 'wish-changed');
});

test('a failed try waits for its next one, and a person is waited for', () => {
  const waits = judge(terms, aRecord({ failures: 1, trouble: trouble() }), noon, daemon);
  assert.deepEqual(waits, { kind: 'wait', until: after(noon, seconds(30)), because: 'no connection' });
  const again = judge(terms, aRecord({ failures: 1, trouble: trouble() }), after(noon, seconds(30)), daemon);
  assert.equal(reasonOf(again), 'retry');
  assert.equal(judge(terms, aRecord({ trouble: trouble({ nextTry: null }) }), noon, daemon).kind, 'blocked');
});

test('--force is stronger than anything else', () => {
  const record = aRecord({ trouble: trouble({ nextTry: null }) });
  assert.equal(reasonOf(judge(terms, record, noon, { mode: 'forced' })), 'forced');
});

test('scenario 19: a clock that was never set judges nothing', () => {
  const verdict = judge(terms, aRecord(), epoch(5000), daemon);
  assert.equal(verdict.kind, 'wait');
});

test('scenario 19: after the clock was set back, a backoff does not hang in the future', () => {
  const record = aRecord({ failures: 3, trouble: trouble({ lastAt: noon, nextTry: after(noon, minutes(5)) }) });
  const dayEarlier = after(noon, millis(-days(1)));
  assert.equal(judge(terms, record, dayEarlier, daemon).kind, 'due');
});

test('scenario 19: after the clock was set back, a token from the future is renewed once', () => {
  const record = aRecord({ token: aToken({ issuedAt: after(noon, days(1)), expiresAt: after(noon, hours(25)) }) });
  assert.equal(reasonOf(judge(terms, record, noon, daemon)), 'clock-behind');
});

test('property: a verdict that lets go never does so for longer than the token lives', () => {
  fc.assert(
    fc.property(fc.nat(7200), fc.nat(7200), fc.nat(7200), (now, renewAt, minimum) => {
      const record = aRecord({ renewAt: after(noon, seconds(renewAt)) });
      const wished = { ...terms, minLifetime: seconds(minimum) };
      const moment = after(noon, seconds(now));
      const verdict = judge(wished, record, moment, daemon);
      if (verdict.kind === 'fresh') {
        assert.ok(verdict.until > moment);
        assert.ok(moment < (record.token?.expiresAt ?? 0));
      } else assert.equal(verdict.kind, 'due');
    }),
  );
});
