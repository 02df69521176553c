import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FaultCode, faultCodes } from '../../src/fault/codes.ts';
import { causesOf } from '../../src/observe/condition.ts';
import { conditionsOf, type Records, type Wanted } from '../../src/observe/conditions.ts';
import type { Scope, WishName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { after, days, hours, type Millis, minutes } from '../../src/token/time.ts';
import {
  account,
  accountRecord,
  deliveryRecord,
  downIssuer,
  expiredAt,
  issuer,
  issuerRecord,
  noon,
  records,
  trouble,
  wanted,
  wish,
  wishRecord,
} from './samples.ts';

const one = wanted([account('atlas')], [wish('mon', 'atlas')]);
const at = (found: Partial<Records>, setting: Wanted = one) => conditionsOf(records(found), setting, noon);

test('with everything in order nothing is said', () => {
  assert.deepEqual(
    at({
      wishes: [wishRecord('mon', 'atlas')],
      accounts: [accountRecord('atlas')],
      deliveries: [deliveryRecord('mon')],
    }),
    [],
  );
});

test('scenario 8: a dead login is the person’s turn, with the command to run, and its wishes follow from it', () => {
  const dead = trouble('login-needed', {
    who: 'user',
    nextTry: null,
    sentence: 'the refresh token was used elsewhere',
  });
  const found = at({
    wishes: [wishRecord('mon', 'atlas', { trouble: dead, ...expiredAt(after(noon, minutes(-1))) })],
    accounts: [accountRecord('atlas', { login: 'dead', trouble: dead })],
  });
  const [cause, ...others] = causesOf(found);
  assert.deepEqual(others, []);
  assert.equal(cause?.root.key, 'account:atlas:login');
  assert.equal(cause?.root.code, 'login-needed');
  assert.equal(cause?.root.who, 'user');
  assert.equal(cause?.root.severity, 'critical');
  assert.equal(cause?.root.sentence, 'the refresh token was used elsewhere');
  assert.equal(cause?.root.hint, 'run: tokeep account login atlas');
  assert.equal(cause?.root.nextTry, null);
  assert.deepEqual(cause?.followers.map(({ code }) => code).sort(), ['login-needed', 'token-runs-out']);
});

test('scenario 9: a suspended login says when it is looked at again', () => {
  const nextTry = after(noon, hours(1));
  const refused = trouble('login-suspended', { nextTry });
  const [condition] = at({ accounts: [accountRecord('atlas', { login: 'suspended', trouble: refused })] });
  assert.equal(condition?.code, 'login-suspended');
  assert.equal(condition?.nextTry, nextTry);
  assert.equal(condition?.stage, 'suspended');
});

test('scenario 10: of a down issuer only the issuer is shown, with its wishes behind it and the time of the probe', () => {
  const failing = trouble('issuer-unreachable');
  const wishes = Array.from({ length: 50 }, (_, n) => wish(`w${n}`, 'atlas'));
  const found = at(
    {
      wishes: wishes.map(({ name }) =>
        wishRecord(name, 'atlas', { trouble: failing, ...expiredAt(after(noon, minutes(-1))) }),
      ),
      accounts: [accountRecord('atlas')],
      issuers: [downIssuer],
    },
    wanted([account('atlas')], wishes),
  );
  const causes = causesOf(found);
  assert.equal(causes.length, 1);
  assert.equal(causes[0]?.root.key, `issuer:${issuer}:down`);
  assert.equal(causes[0]?.root.severity, 'critical');
  assert.equal(causes[0]?.root.stage, 'tokens-expired');
  assert.equal(causes[0]?.root.nextTry, after(noon, minutes(2)));
  assert.equal(causes[0]?.followers.length, 100);
});

test('a failed try is worth no alarm while the token outlives the next try, and one when it does not', () => {
  const soon = at({
    wishes: [wishRecord('mon', 'atlas', { trouble: trouble('issuer-fault') })],
    accounts: [accountRecord('atlas')],
  });
  assert.deepEqual(
    soon.map(({ severity, code }) => [severity, code]),
    [['notice', 'issuer-fault']],
  );
  const late = trouble('issuer-fault', { nextTry: after(noon, hours(1)) });
  const found = at({ wishes: [wishRecord('mon', 'atlas', { trouble: late })], accounts: [accountRecord('atlas')] });
  assert.deepEqual(
    found.map(({ severity, code }) => [severity, code]),
    [
      ['warning', 'issuer-fault'],
      ['warning', 'token-runs-out'],
    ],
  );
  assert.match(found[1]?.sentence ?? '', /expires in 30 min, and the next try comes later/);
});

test('a refresh token near its end is told in steps, and one of unknown life never', () => {
  const stageWith = (left: number, life: number) => {
    const ends = after(noon, days(left));
    const credential = { kind: 'refresh_token', fingerprint: 'c', obtainedAt: after(ends, days(-life)) } as const;
    const record = accountRecord('atlas', { credential, expiry: { kind: 'known', at: ends, from: 'exp' } });
    const [condition] = at({ accounts: [record] });
    assert.ok(condition === undefined || condition.code === 'login-ends');
    return condition?.stage;
  };
  const steps = [21, 11, 10, 4.2, 3, 1, 0, -1].map((left) => stageWith(left, 30));
  assert.deepEqual(steps, [undefined, undefined, '1/3', '1/7', '3d', '1d', 'ended', 'ended']);
  assert.equal(stageWith(0.3, 0.35), undefined, 'an eight-hour refresh token is not always about to end');
  assert.equal(stageWith(0.04, 0.35), '1d');
  assert.deepEqual(at({ accounts: [accountRecord('atlas')] }), []);
});

test('scenario 22: a clock that differs by more than a minute is named', () => {
  assert.deepEqual(at({ accounts: [accountRecord('atlas')], issuers: [issuerRecord({ skew: 59_000 })] }), []);
  const [condition] = at({ accounts: [accountRecord('atlas')], issuers: [issuerRecord({ skew: -90_000 })] });
  assert.equal(condition?.code, 'clock-skew');
  assert.match(condition?.sentence ?? '', /our clock is 90 s behind that of issuer/);
});

test('scenario 6: a successor that no disk takes is critical, whoever else is fine', () => {
  const unsaved = trouble('successor-unsaved', { who: 'operator' });
  const [condition] = at({ accounts: [accountRecord('atlas', { trouble: unsaved })] });
  assert.equal(condition?.severity, 'critical');
  assert.equal(condition?.who, 'operator');
  assert.match(condition?.hint ?? '', /leave tokeep running/);
});

test('scenario 1: a refresh token that may have been spent is named while nobody knows', () => {
  const intent = { attempt: 'x', spends: 'c', at: after(noon, minutes(-11)), outcome: 'open' } as const;
  const record = (open: typeof intent | { readonly outcome: 'unknown' }) =>
    accountRecord('atlas', { intent: { ...intent, ...open } });
  assert.equal(at({ accounts: [record(intent)] })[0]?.code, 'outcome-unknown');
  assert.equal(at({ accounts: [accountRecord('atlas', { intent: { ...intent, at: noon } })] }).length, 0);
  const unknown = accountRecord('atlas', { intent: { ...intent, at: noon, outcome: 'unknown' } });
  assert.equal(at({ accounts: [unknown] })[0]?.code, 'outcome-unknown');
});

test('scenario 38: a failing target is its own condition; a target that is no longer configured is none', () => {
  const failed = trouble('target-failed', { who: 'operator' });
  const wishes = [wishRecord('mon', 'atlas')];
  const accounts = [accountRecord('atlas')];
  const found = at({ wishes, accounts, deliveries: [deliveryRecord('mon', { trouble: failed })] });
  assert.deepEqual(
    found.map(({ key }) => key),
    ['target:mon:file:/run/tokeep/mon@here'],
  );
  assert.deepEqual(
    at({ wishes, accounts, deliveries: [deliveryRecord('mon', { trouble: failed, target: 'file:/old' })] }),
    [],
  );
});

test('scenario 35: what was taken out of the configuration is mentioned once, whatever its number', () => {
  const names = Array.from({ length: 1000 }, (_, n) => `w${n}`);
  const found = at({
    wishes: names.map((name) => wishRecord(name, 'gone', { state: 'parked' })),
    accounts: [accountRecord('atlas'), accountRecord('gone', { state: 'parked' })],
  });
  assert.deepEqual(
    found.map(({ key, severity }) => [key, severity]),
    [
      ['state:parked-accounts', 'notice'],
      ['state:parked-wishes', 'notice'],
    ],
  );
  assert.match(found[1]?.sentence ?? '', /w0, w1, w2 and 997 more$/);
});

const newLogin = 'alice runs: condor_store_cred delete-oauth -s mytok';
const atAccessPoint: Wanted = {
  ...wanted(
    [{ ...account('alice/mytok'), newLogin }, account('condor:robot')],
    [
      { ...wish('alice/mytok_rd', 'alice/mytok'), scope: { kind: 'scopes', scopes: ['no.such' as Scope] } },
      { ...wish('bob/robot', 'condor:robot'), scope: { kind: 'scopes', scopes: ['x' as Scope] } },
    ],
  ),
  ofUsers: true,
};
const allReady = [accountRecord('alice/mytok'), accountRecord('condor:robot')];

test("at an access point a user's own credential, and what is asked with it, is that user's to mend, who is named", () => {
  const refused = trouble('request-refused', { who: 'operator', nextTry: null, sentence: 'refuses the scopes' });
  const wishes = [wishRecord('alice/mytok_rd', 'alice/mytok', { trouble: refused })];
  const found = at({ wishes, accounts: allReady }, atAccessPoint);
  assert.deepEqual(
    found.map(({ who }) => who),
    ['user', 'user'],
  );
  assert.equal(found[0]?.sentence, 'alice/mytok_rd: refuses the scopes');
  const own = at(
    { wishes: [wishRecord('bob/robot', 'condor:robot', { trouble: refused })], accounts: allReady },
    atAccessPoint,
  );
  assert.equal(own[0]?.who, 'operator', 'the templates are of who runs the access point');
  const suspended = trouble('login-suspended', { nextTry: after(noon, hours(1)) });
  const accounts = [
    accountRecord('alice/mytok', { login: 'suspended', trouble: suspended }),
    accountRecord('condor:robot'),
  ];
  const waits = [wishRecord('alice/mytok_rd', 'alice/mytok', { trouble: suspended })];
  for (const { code, who } of at({ wishes: waits, accounts }, atAccessPoint)) assert.equal(who, 'user', code);
});

test('what was parked at an access point is no line of a configuration; that all of it went is told', () => {
  const parked = (name: string) => wishRecord(name, 'alice/mytok', { state: 'parked' });
  assert.deepEqual(at({ wishes: [parked('alice/mytok')], accounts: allReady }, atAccessPoint), []);
  const [empty] = at({ wishes: [parked('alice/mytok')] }, { ...wanted([], []), ofUsers: true });
  assert.equal(empty?.severity, 'notice');
  assert.match(empty?.sentence ?? '', /^the credential directory is empty; what is known of 1 token is kept/);
});

test('an account nobody has logged in for asks for its setup; wishes that nobody renews say so', () => {
  const [login] = at({});
  assert.equal(login?.hint, 'run: tokeep account login atlas');
  const late = wishRecord('mon', 'atlas', { dueAt: after(noon, hours(-2)) });
  const [idle] = at({ wishes: [late], accounts: [accountRecord('atlas')] });
  assert.equal(idle?.code, 'not-running');
  assert.match(idle?.hint ?? '', /systemctl status tokeep/);
  const refused = trouble('request-refused', { who: 'operator', nextTry: null });
  const waits = at({ wishes: [{ ...late, trouble: refused }], accounts: [accountRecord('atlas')] });
  assert.ok(!waits.some(({ code }) => code === 'not-running'), 'what waits for a person is not late');
});

test('a login that lies outside the store needs nobody before it was tried, and afterwards what its account says', () => {
  const newLogin = 'alice submits again';
  const setting = wanted([{ ...account('atlas'), newLogin }], [wish('mon', 'atlas')]);
  const of = (records: Parameters<typeof at>[0]) =>
    at(records, setting).filter(({ key }) => key.startsWith('account:'));
  assert.deepEqual(of({}), []);
  assert.equal(of({ accounts: [accountRecord('atlas', { login: 'dead' })] })[0]?.hint, newLogin);
});

test('a write-back that failed and an error in the configuration are conditions', () => {
  const writeBack = { path: '/home/x/.oidc-agent/atlas', doneFor: null, trouble: trouble('target-failed') };
  assert.equal(at({ accounts: [accountRecord('atlas', { writeBack })] })[0]?.code, 'write-back-failed');
  const setting = wanted(
    [account('atlas')],
    [],
    [
      {
        severity: 'error',
        code: 'config-invalid',
        at: { file: 'c.yaml', line: 7, column: 3 },
        message: 'unknown key "acount"',
        didYouMean: 'account',
        section: 'tokens.x',
      },
    ],
  );
  const [finding] = at({ accounts: [accountRecord('atlas')] }, setting);
  assert.equal(finding?.sentence, 'c.yaml:7:3: unknown key "acount" (did you mean account?)');
  assert.equal(finding?.severity, 'critical');
});

test('whatever the records hold, a condition names whose turn it is and what is next, and no secret', () => {
  const canary = 'canary-7b1e';
  const jwt = `eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.${canary}`;
  const troubles = fc.record({
    code: fc.constantFrom(...(Object.keys(faultCodes) as FaultCode[])),
    sentence: fc.constantFrom(`it said ${jwt}`, 'it\u0007said\nno', String(new Secret('refresh_token', canary))),
    nextTry: fc.option(fc.integer({ min: -3_600_000, max: 3_600_000 }).map((ms) => after(noon, minutes(ms / 60_000)))),
  });
  const maybe = fc.option(troubles.map((more) => trouble(more.code, more)));
  const world = fc.record({
    mine: maybe,
    theirs: maybe,
    target: maybe,
    left: fc.integer({ min: -60, max: 60 }),
    login: fc.constantFrom('none', 'ready', 'suspended', 'dead'),
    down: fc.boolean(),
  });
  fc.assert(
    fc.property(world, ({ mine, theirs, target, left, login, down }) => {
      const found = at({
        wishes: [wishRecord('mon', 'atlas', { trouble: mine, ...expiredAt(after(noon, minutes(left))) })],
        accounts: [accountRecord('atlas', { trouble: theirs, login: login as 'ready' })],
        deliveries: [deliveryRecord('mon', { trouble: target })],
        issuers: down ? [downIssuer] : [],
      });
      const text = JSON.stringify(found);
      assert.ok(!text.includes(canary));
      assert.ok(
        found.every(({ sentence }) => sentence !== '' && !sentence.includes('\u0007') && !sentence.includes('\n')),
      );
      const keys = found.map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length, `a key twice in ${keys}`);
      const caused = causesOf(found);
      assert.equal(
        caused.reduce((sum, cause) => sum + 1 + cause.followers.length, 0),
        found.length,
      );
      if (left <= 0) assert.ok(mine === null || keys.includes(`wish:${'mon' as WishName}:token-runs-out`));
    }),
  );
});

test('an issuer that was down when its last account was taken out is nobody’s worry any more', () => {
  const found = conditionsOf(records({ issuers: [downIssuer] }), wanted([], []), noon);
  assert.deepEqual(found, []);
});

test('scenario 14: what was damaged and put aside is a condition for a day, and a line for a month', () => {
  const config = wanted([], []);
  const sentence = 'the record of account atlas was damaged; the one before it is used';
  const findings = [{ what: 'account', name: 'atlas', at: noon, sentence }] as const;
  const later = (length: Millis) => conditionsOf(records({ findings }), config, after(noon, length))[0];
  assert.equal(later(minutes(1))?.sentence, sentence);
  assert.equal(later(minutes(1))?.severity, 'warning');
  assert.equal(later(days(2))?.severity, 'notice');
  assert.equal(later(days(40)), undefined);
});
