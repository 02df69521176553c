import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { GrantOutcome, RawAnswer } from '../../src/acquire/grant.ts';
import { judgeTokenAnswer } from '../../src/acquire/judge.ts';
import { salvageRefreshToken } from '../../src/acquire/salvage.ts';
import { Secret } from '../../src/token/secret.ts';
import { epochFromSeconds, seconds } from '../../src/token/time.ts';

const sentAt = epochFromSeconds(1_800_000_000);
const url = 'https://issuer.example/token';
const asked = { url, secrets: [] };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): RawAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = { 'content-type': 'application/json', ...headers };
  return { kind: 'raw', status, headers: all, body: text, sentAt, receivedAt: sentAt, asked };
}
const judge = (raw: RawAnswer, credential: string | undefined = 'refresh token') =>
  judgeTokenAnswer(raw, { account: 'pilot', credential });
const good = { access_token: 'at', token_type: 'Bearer', expires_in: 3600 };

function codeOf(outcome: GrantOutcome): string {
  return outcome.kind === 'token' ? 'token' : `${outcome.kind} ${outcome.fault.code}`;
}

test('a good answer is a token, with its life and its scopes', () => {
  const outcome = judge(answer(200, { ...good, scope: 'a b' }));
  assert.ok(outcome.kind === 'token');
  assert.equal(outcome.token.reveal(), 'at');
  assert.deepEqual([outcome.expiresIn, outcome.scope, outcome.oddities], [seconds(3600), ['a', 'b'], []]);
});

test('scenario 4: an answer without a refresh token has no successor, and is good', () => {
  const raw = answer(200, good);
  assert.deepEqual(salvageRefreshToken(raw), { successor: undefined, credentialExpiresIn: undefined });
  assert.equal(judge(raw).kind, 'token');
});

test('scenario 5: a new refresh token is taken out of an answer whatever else is wrong with it', () => {
  const next = { refresh_token: 'next' };
  const broken = [
    answer(200, { ...good, ...next, expires_in: -1 }),
    answer(200, { ...good, ...next, token_type: undefined }),
    answer(200, { ...good, ...next, token_type: 'mac' }),
    answer(200, { ...good, ...next, scope: { wrong: true } }),
    answer(200, { ...next, access_token: 42 }),
    answer(200, next),
    answer(200, { ...good, ...next }, { 'content-type': 'text/html' }),
    answer(201, { ...good, ...next }),
    answer(400, { ...next, error: 'invalid_scope' }),
    answer(500, next),
    answer(302, next, { location: '/login' }),
  ];
  for (const raw of broken) assert.equal(salvageRefreshToken(raw).successor?.reveal(), 'next', raw.body);
});

test('what could not be sent again is not taken for a refresh token', () => {
  for (const value of ['', 7, null, ['x'], { x: 1 }, 'a\nb', 'a\u0000', 'x'.repeat(16 * 1024 + 1)]) {
    assert.equal(salvageRefreshToken(answer(200, { ...good, refresh_token: value })).successor, undefined);
  }
  const largest = 'x'.repeat(16 * 1024);
  assert.equal(salvageRefreshToken(answer(200, { refresh_token: largest })).successor?.reveal(), largest);
  for (const body of ['', '{', '[]', '"text"', 'null', '<html>']) {
    assert.equal(salvageRefreshToken(answer(200, body)).successor, undefined);
  }
});

test('refresh_expires_in counts when it is a sane number of seconds', () => {
  const life = (value: unknown) => salvageRefreshToken(answer(200, { refresh_expires_in: value })).credentialExpiresIn;
  assert.deepEqual([1800, '1800', 0, -1, 1e300, 'soon', null].map(life), [
    ...[seconds(1800), seconds(1800)],
    ...[undefined, undefined, undefined, undefined, undefined],
  ]);
});

test('scenario 18: an expires_in of any kind never costs the token', () => {
  const table: readonly [unknown, number | undefined, number][] = [
    [3600, 3600_000, 0],
    ['3600', 3600_000, 1],
    [0.5, 500, 1],
    [59.9, 59_900, 1],
    [0, undefined, 1],
    [-1, undefined, 1],
    ['-1', undefined, 1],
    ['soon', undefined, 1],
    [null, undefined, 1],
    [undefined, undefined, 1],
    [[3600], undefined, 1],
    [3e9, 365 * 86_400_000, 1],
  ];
  for (const [value, expected, oddities] of table) {
    const outcome = judge(answer(200, { ...good, expires_in: value }));
    assert.ok(outcome.kind === 'token', String(value));
    assert.deepEqual([outcome.expiresIn, outcome.oddities.length], [expected, oddities], String(value));
  }
  const infinite = judge(answer(200, '{"access_token":"at","token_type":"bearer","expires_in":1e400}'));
  assert.equal(infinite.kind === 'token' && infinite.expiresIn, 365 * 86_400_000);
});

test('a missing token_type and a scope of a wrong kind are oddities; a token that is no bearer token is nonsense', () => {
  const odd = judge(answer(200, { access_token: 'at', expires_in: 60, scope: ['a', 'b'] }));
  assert.ok(odd.kind === 'token');
  assert.deepEqual([odd.scope, odd.oddities.length], [['a', 'b'], 2]);
  assert.equal(codeOf(judge(answer(200, { ...good, token_type: 'DPoP' }))), 'later issuer-nonsense');
});

test('200 without a token that can be used is nonsense, and tried again', () => {
  for (const token of [undefined, null, 7, '', 'two words', 'täg', 'line\n', 'x'.repeat(20_000), { a: 1 }]) {
    assert.equal(codeOf(judge(answer(200, { ...good, access_token: token }))), 'later issuer-nonsense', String(token));
  }
});

test('scenario 27: a captive portal, a redirect to a login page and broken JSON are transient, and say what came', () => {
  const portal = judge(answer(200, '<html>', { 'content-type': 'text/html; charset=utf-8' }));
  assert.ok(portal.kind === 'later' && /answered 200 with text\/html instead of JSON/.test(portal.fault.message));
  const moved = judge(answer(302, '', { location: 'https://login.example/sso?secret=1' }));
  assert.ok(moved.kind === 'later' && /redirects to login\.example \(302\)/.test(moved.fault.message));
  assert.doesNotMatch(moved.fault.message, /secret/);
  for (const raw of [answer(200, '{"access'), answer(200, ''), answer(403, '<html>'), answer(302, '', {})]) {
    assert.equal(codeOf(judge(raw)), 'later issuer-nonsense');
  }
});

test('scenario 23: 429 and 503 say when to come back, in seconds or as a date, and absurd or invalid values are bounded', () => {
  const at = (headers: Record<string, string>, status = 429) => {
    const outcome = judge(answer(status, '', headers));
    assert.ok(outcome.kind === 'later' && outcome.fault.code === 'issuer-overloaded');
    assert.equal(outcome.fault.retryAt, outcome.retryAfter);
    return outcome.retryAfter === undefined ? undefined : (outcome.retryAfter - sentAt) / 1000;
  };
  const date = (offset: number) => new Date(sentAt + offset * 1000).toUTCString();
  assert.equal(at({ 'retry-after': '120' }), 120);
  assert.equal(at({ 'retry-after': ' 7 ' }, 503), 7);
  assert.equal(at({ 'retry-after': date(90) }), 90);
  assert.equal(at({ 'retry-after': date(90), date: date(-3600) }), 3690, 'an issuer whose clock is behind');
  assert.equal(at({ 'retry-after': String(10 * 365 * 86_400) }), 86_400);
  assert.equal(at({ 'retry-after': '9'.repeat(400) }), 86_400);
  assert.equal(at({ 'retry-after': date(10 * 365 * 86_400) }), 86_400);
  for (const value of ['', '-5', '0', '1.5', 'soon', 'Thu, 99 Foo 2020', date(-60)]) {
    assert.equal(at({ 'retry-after': value }), undefined, value);
  }
  assert.equal(at({}), undefined);
});

test('5xx is the issuer, whatever it says; its errors about the moment are too', () => {
  assert.equal(codeOf(judge(answer(500, '<html>oops'))), 'later issuer-fault');
  assert.equal(codeOf(judge(answer(502, { error: 'invalid_grant' }))), 'later issuer-fault');
  assert.equal(codeOf(judge(answer(400, { error: 'temporarily_unavailable' }))), 'later issuer-overloaded');
  assert.equal(codeOf(judge(answer(400, { error: 'server_error' }))), 'later issuer-fault');
});

test('a refusal says whose turn it is; only invalid_grant kills a credential, and only one that was sent', () => {
  const table: readonly [status: number, error: unknown, expected: string, dead: boolean][] = [
    [400, 'invalid_grant', 'refused login-needed', true],
    [401, 'invalid_grant', 'refused login-needed', true],
    [401, 'invalid_client', 'refused client-refused', false],
    [400, 'invalid_client', 'refused client-refused', false],
    [401, undefined, 'refused client-refused', false],
    [400, 'invalid_scope', 'refused request-refused', false],
    [400, 'invalid_target', 'refused request-refused', false],
    [400, 'unauthorized_client', 'refused request-refused', false],
    [400, 'unsupported_grant_type', 'refused request-refused', false],
    [400, 'constructor', 'refused request-refused', false],
    [403, 'something_else', 'refused request-refused', false],
    [200, 'invalid_grant', 'refused login-needed', true],
    [400, 7, 'refused request-refused', false],
  ];
  for (const [status, error, expected, dead] of table) {
    const outcome = judge(answer(status, { error }));
    assert.equal(codeOf(outcome), expected, `${status} ${error}`);
    assert.equal(outcome.kind === 'refused' && outcome.credentialDead, dead);
  }
  const nothingSpent = judgeTokenAnswer(answer(400, { error: 'invalid_grant' }), {
    account: 'pilot',
    credential: undefined,
  });
  assert.ok(codeOf(nothingSpent) === 'refused request-refused');
});

test("scenario 8: a dead refresh token's sentence names the likely causes and what to run", () => {
  const outcome = judge(answer(400, { error: 'invalid_grant', error_description: 'Token not active' }));
  assert.ok(outcome.kind === 'refused');
  assert.match(
    outcome.fault.message,
    /refuses the refresh token of account pilot: invalid_grant \("Token not active"\).*used elsewhere/,
  );
  assert.equal(outcome.fault.hint, 'log in again: tokeep account login pilot');
});

test('scenario 44: no secret gets out of an answer, however the issuer quotes it back', () => {
  const canary = 'canary/secret+value=';
  const secrets = [new Secret('refresh_token', canary)];
  const encoded = encodeURIComponent(canary);
  const bodies: unknown[] = [
    { error: 'invalid_grant', error_description: `bad token ${canary} (${encoded})` },
    { error: canary },
    { error: 'invalid_client', error_description: `\u001b[31m${canary}` },
    { access_token: canary, token_type: 'mac' },
    { access_token: `${canary} \n`, refresh_token: canary },
    { access_token: 7, id_token: canary },
    `<html>${canary}`,
    `{"refresh_token":"${canary}"`,
  ];
  for (const body of bodies) {
    for (const status of [200, 302, 400, 401, 500]) {
      const raw = {
        ...answer(status, body, { location: `/x?${canary}` }),
        asked: { url: `${url}?t=${canary}`, secrets },
      };
      const outcome = judge(raw);
      const shown =
        inspect([outcome, salvageRefreshToken(raw)], { depth: 9, showHidden: true }) + JSON.stringify(outcome);
      assert.doesNotMatch(shown, /canary/, `${status} ${raw.body}`);
      if (outcome.kind !== 'token') assert.doesNotMatch(`${outcome.fault.stack}`, /canary/);
    }
  }
});

test("an issuer's words are cut to 200 characters on one line, and steer no terminal", () => {
  const outcome = judge(answer(400, { error: 'x', error_description: `a\n\u001b[2J\u202eb\u200bc${'d'.repeat(500)}` }));
  assert.ok(outcome.kind === 'refused');
  assert.match(outcome.fault.message, /\("a \[2J b c(d+)…"\)/);
  assert.ok(outcome.fault.message.length < 320);
});

test('any JSON with any status is judged without a throw', () => {
  const value = fc.oneof(fc.jsonValue(), fc.string());
  const body = fc.record(
    { access_token: value, token_type: value, expires_in: value, scope: value, error: value, error_description: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(body, value), (status, json) => {
      const raw = answer(status, json ?? '');
      salvageRefreshToken(raw);
      assert.ok(['token', 'refused', 'later'].includes(judge(raw).kind));
    }),
  );
});
