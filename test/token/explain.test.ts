import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { explainToken } from '../../src/token/explain.ts';
import { scopeInWords } from '../../src/token/scope-words.ts';
import { epoch, epochFromSeconds } from '../../src/token/time.ts';

const now = epochFromSeconds(1_800_000_000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object, header: object = { alg: 'ES256', kid: 'k1' }) =>
  `${part(header)}.${part(claims)}.c2lnbmF0dXJl`;

const wlcg = {
  'wlcg.ver': '1.0',
  iss: 'https://iam.example/',
  sub: 'a1b2',
  aud: 'https://se.example',
  scope: 'storage.read:/data compute.create',
  'wlcg.groups': ['/cms', '/cms/uscms'],
  iat: 1_800_000_000 - 600,
  nbf: 1_800_000_000 - 660,
  exp: 1_800_000_000 + 3000,
  jti: 'j1',
};

function explained(claims: object, header?: object) {
  const result = explainToken(jwt(claims, header), now);
  assert.ok(result.kind === 'jwt');
  return result;
}
const warningsOf = (changes: object, header?: object) => explained({ ...wlcg, ...changes }, header).warnings;

test('a good WLCG token is explained claim by claim, without a warning and without its signature', () => {
  const { profile, statements, warnings } = explained(wlcg);
  assert.equal(profile, 'wlcg');
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    statements.map(({ name, text }) => `${name}: ${text}`),
    [
      'profile: WLCG common JWT profile (1.0)',
      'issuer: https://iam.example/',
      'subject: a1b2',
      'audience: https://se.example',
      'scope: storage.read:/data: read files in /data and below',
      'scope: compute.create: submit jobs',
      'group: /cms',
      'group: /cms/uscms',
      'issued: 2027-01-15 07:50:00 UTC (10 min ago)',
      'not before: 2027-01-15 07:49:00 UTC (11 min ago)',
      'expires: 2027-01-15 08:50:00 UTC (in 50 min)',
      'id: j1',
      'signature: ES256, key k1; not verified here',
    ],
  );
  assert.ok(!JSON.stringify(explained(wlcg)).includes('c2lnbmF0dXJl'));
});

test('what is wrong with a token is said', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ exp: 1_800_000_000 - 120 }, /expired 2 min ago/],
    [{ nbf: 1_800_000_000 + 30 }, /not valid yet, for 30 s more/],
    [{ iat: 1_800_000_000 + 3600, nbf: undefined }, /issued in the future/],
    [{ exp: 1_800_000_000 + 86_400 * 2 }, /lives 2 d; the WLCG profile allows 6 h/],
    [{ jti: undefined, sub: undefined }, /lacks sub, jti/],
    [{ scope: 'storage.read' }, /refuse the whole token for its scope storage.read: it does not say where/],
    [{ scope: 'storage.read:/a/../b' }, /scope storage.read:\/a\/..\/b: the path .* has the segment ".."/],
    [{ 'wlcg.ver': 1.0 }, /services refuse it: wlcg.ver is not text/],
    [{ ver: 'scitokens:2.0' }, /both ver and wlcg.ver/],
    [{ 'wlcg.groups': ['/cms/Role=pilot'] }, /groups cannot be used: .*way of VOMS/],
    [{ aud: 'https://wlcg.cern.ch/jwt/v1/any' }, /every service accepts it/],
    [{ iss: 'http://iam.example/' }, /not an https URL/],
  ];
  for (const [changes, pattern] of cases) assert.match(warningsOf(changes).join('\n'), pattern);
  assert.match(warningsOf({}, { alg: 'none', kid: 'k' }).join('\n'), /not signed/);
  assert.match(warningsOf({}, { alg: 'HS256', kid: 'k' }).join('\n'), /shared secret/);
  assert.match(warningsOf({}, { alg: 'RS256' }).join('\n'), /does not name its key/);
});

test('the profile is told by its marks', () => {
  const profile = (claims: object, header?: object) => explained(claims, header).profile;
  assert.equal(profile({ 'wlcg.ver': '1.0', ver: 'scitokens:2.0' }), 'wlcg');
  assert.equal(profile({ ver: 'scitokens:2.0' }), 'scitokens');
  assert.equal(profile({}, { typ: 'at+JWT' }), 'at+jwt');
  assert.equal(profile({ ver: '1.0' }, { typ: 'JWT' }), 'unknown');
});

test('scopes in words', () => {
  assert.equal(scopeInWords('storage.stage:/'), 'bring files from tape to disk, and release them, everywhere');
  assert.equal(scopeInWords('read:/protected'), 'read files (SciTokens) in /protected and below');
  assert.equal(scopeInWords('condor:/READ'), 'use HTCondor with the rights of READ');
  assert.equal(scopeInWords('wlcg.groups:/cms'), 'get the group /cms');
  for (const word of ['toString:/x', 'constructor', '__proto__']) assert.equal(scopeInWords(word), undefined);
});

test('an opaque token and a broken JWT are told apart', () => {
  assert.deepEqual(explainToken('abc', now), { kind: 'opaque', length: 3 });
  assert.equal(explainToken('eyJhbGciOiJFUzI1NiJ9.***.c2ln', now).kind, 'malformed');
});

test('any claims at any time are explained without a fault', () => {
  const claims = fc.dictionary(
    fc.constantFrom('iss', 'sub', 'aud', 'scope', 'scp', 'exp', 'nbf', 'iat', 'ver', 'wlcg.ver', 'wlcg.groups'),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(
      claims,
      fc.dictionary(fc.constantFrom('alg', 'kid', 'typ'), fc.jsonValue()),
      fc.integer(),
      (c, h, at) => {
        const result = explainToken(jwt(c, h), epoch(at));
        assert.ok(result.kind !== 'opaque' || !jwt(c, h).startsWith('eyJ'));
      },
    ),
  );
});
