import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CompactSign, SignJWT } from 'jose';
import { Secret } from '../../src/token/secret.ts';
import { hours, seconds } from '../../src/token/time.ts';
import { KeyCache } from '../../src/verify/key-cache.ts';
import type { TrustedIssuer } from '../../src/verify/trust.ts';
import type { RefusalCode, Verification, VerifiedToken } from '../../src/verify/verification.ts';
import { Verifier } from '../../src/verify/verifier.ts';
import type { Http } from '../../src/world/http.ts';
import { realRandom } from '../../src/world/real-random.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import {
  encoded,
  goodClaims,
  issuer,
  jwksOf,
  makeKey,
  noon,
  noonSeconds,
  ourAudience,
  signText,
  signToken,
  trustIn,
  type Written,
} from './signing.ts';

const ec = makeKey('ec-1');
const rsa = makeKey('rsa-1', 'RS256');

/** Keys are at hand in these tests: a request is a mistake. */
const noNetwork: Http = {
  send: ({ url }) => Promise.reject(new Error(`asked ${url.href}`)),
  close: () => Promise.resolve(),
};

function verifierFor(change: Partial<TrustedIssuer> = {}, keys = [ec, rsa]): Verifier {
  const clock = new TestClock(noon);
  const cache = new KeyCache({ world: { clock, http: noNetwork, random: realRandom } });
  return new Verifier({ trusted: [trustIn(keys, change)], keys: cache, clock });
}

const strict = verifierFor();

function valid(verification: Verification): VerifiedToken {
  assert.equal(verification.kind, 'valid', JSON.stringify(verification));
  return (verification as Extract<Verification, { kind: 'valid' }>).token;
}

function refused(verification: ReturnType<Verifier['verifyNow']>, code: RefusalCode, says?: RegExp): void {
  assert.ok(verification.kind === 'refused', `a token was not refused: ${JSON.stringify(verification)}`);
  assert.equal(verification.code, code, verification.why);
  if (says !== undefined) assert.match(`${verification.why}; ${verification.hint ?? ''}`, says);
}

const judge = (written: Written, verifier = strict) => verifier.verifyNow(signToken(ec, written));

test('a good token of a trusted issuer is valid, and what is in it is told', async () => {
  const token = valid(await strict.verify(signToken(ec, { claims: { 'wlcg.groups': ['/cms', '/cms/ops'] } })));
  const { header: _, claims: __, ...told } = token;
  assert.deepEqual(told, {
    profile: 'wlcg',
    issuer,
    subject: 'robot',
    audiences: [ourAudience],
    audience: ourAudience,
    scopes: ['storage.read:/data'],
    groups: ['/cms', '/cms/ops'],
    jti: 'j1',
    kid: 'ec-1',
    issuedAt: noon - 60_000,
    expiresAt: noon + 3_540_000,
  });
  valid(await strict.verify(new Secret('access_token', signToken(rsa))));
  assert.deepEqual(strict.counters(), { [issuer]: { valid: 2 } });
});

test('VER-01: the algorithm comes from the trust, not from the token, and has to be that of the key', () => {
  const text = (alg: unknown, kid = 'ec-1') =>
    `${encoded(JSON.stringify({ alg, kid }))}.${encoded(JSON.stringify(goodClaims()))}`;
  for (const alg of ['none', 'None', 'nOnE', 'es256', 'ES384', 'PS256', 'EdDSA', '', 7, null, ['ES256']]) {
    refused(strict.verifyNow(`${text(alg)}.`), 'algorithm');
    refused(strict.verifyNow(signText(ec, text(alg))), 'algorithm');
  }
  const publicPem = rsa.publicKey.export({ format: 'pem', type: 'spki' });
  const hmac = createHmac('sha256', publicPem).update(text('HS256', 'rsa-1')).digest('base64url');
  refused(strict.verifyNow(`${text('HS256', 'rsa-1')}.${hmac}`), 'algorithm', /"HS256".*only ES256 and RS256/);
  refused(
    strict.verifyNow(signText(rsa, text('ES256', 'rsa-1'))),
    'algorithm',
    /key "rsa-1" of its issuer is one for RS256/,
  );
  refused(strict.verifyNow(signText(ec, text('RS256', 'ec-1'))), 'algorithm');
  refused(verifierFor({ algorithms: ['ES256'] }).verifyNow(signToken(rsa)), 'algorithm', /only ES256 are/);
});

test('VER-02: the issuer has to be a trusted one, letter by letter, before any key is looked at', () => {
  for (const iss of [`${issuer}/`, issuer.toUpperCase(), 'https://Issuer.example', ` ${issuer}`, `${issuer}:443`]) {
    refused(judge({ claims: { iss } }), 'issuer-unknown');
  }
  refused(
    judge({ claims: { iss: `${issuer}/` } }),
    'issuer-unknown',
    /trusted is "https:\/\/issuer\.example": .*letter by letter/,
  );
  refused(
    judge({ claims: { iss: 'https://evil.example' } }),
    'issuer-unknown',
    /"https:\/\/evil\.example", is not a trusted one/,
  );
  refused(judge({ claims: { iss: undefined } }), 'issuer-missing');
  for (const iss of [7, null, [issuer], { toString: issuer }]) refused(judge({ claims: { iss } }), 'issuer-missing');
  for (const iss of ['__proto__', 'constructor']) refused(judge({ claims: { iss } }), 'issuer-unknown');
});

test('VER-03: the audience has to be one of ours, or the wildcard of the profile where that is accepted', () => {
  const any = 'https://wlcg.cern.ch/jwt/v1/any';
  const scitokens2 = { 'wlcg.ver': undefined, ver: 'scitoken:2.0' };
  for (const aud of [ourAudience, [ourAudience], ['https://other.example', ourAudience], any, [any]]) {
    assert.equal(judge({ claims: { aud } }).kind, 'valid');
  }
  assert.equal(judge({ claims: { ...scitokens2, aud: 'ANY' } }).kind, 'valid');
  for (const aud of [
    'https://other.example',
    [],
    [''],
    '',
    `${ourAudience}/`,
    'ANY',
    'https://se',
    `${ourAudience}.evil`,
  ]) {
    refused(judge({ claims: { aud } }), 'audience');
  }
  refused(judge({ claims: { ...scitokens2, aud: any } }), 'audience', /own profile/);
  refused(judge({ claims: { aud: `${ourAudience}/` } }), 'audience', /it has to be "https:\/\/se\.example"/);
  refused(judge({ claims: { aud: undefined } }), 'claim-missing', /no aud/);
  for (const aud of [7, null, [7], [ourAudience, null], { a: ourAudience }])
    refused(judge({ claims: { aud } }), 'claim-type');
  refused(judge({ claims: { aud: any } }, verifierFor({ everyone: false })), 'audience', /not taken here/);
  assert.equal(judge({ claims: { aud: 'https://other.example' } }, verifierFor({ audiences: [] })).kind, 'valid');
});

test('VER-04: kid is a key of a table and nothing else; other ways to a key are not looked at', () => {
  const tricks = [
    '../../../../etc/passwd',
    '/dev/null',
    'http://169.254.169.254/latest/meta-data',
    "' UNION SELECT 'key",
    '__proto__',
    'toString',
    'ec-1\u0000',
    'EC-1',
    '|sh',
    'x'.repeat(5000),
    '',
  ];
  for (const kid of tricks) refused(judge({ header: { kid } }), 'key-unknown');
  for (const kid of [7, null, ['ec-1'], { kid: 'ec-1' }]) refused(judge({ header: { kid } }), 'key-unnamed');
  const other = makeKey('ec-1');
  const ways = { jwk: other.jwk, jku: 'https://evil.example/keys', x5u: 'https://evil.example/cert', x5c: ['MIIB'] };
  refused(strict.verifyNow(signToken(other, { header: ways })), 'signature');
  assert.equal(judge({ header: ways }).kind, 'valid');
});

test('a token without a kid is accepted only where the issuer has a single key', () => {
  refused(judge({ header: { kid: undefined } }), 'key-unnamed', /its issuer has 2/);
  assert.equal(judge({ header: { kid: undefined } }, verifierFor({}, [ec])).kind, 'valid');
});

test('VER-05: times are numbers in seconds; exp is needed and has no tolerance, nbf and iat have a minute at most', () => {
  const at = (claims: Record<string, unknown>) => judge({ claims });
  assert.equal(at({ exp: noonSeconds + 0.5 }).kind, 'valid');
  assert.equal(at({ nbf: noonSeconds + 60, iat: noonSeconds + 60 }).kind, 'valid');
  assert.equal(at({ nbf: undefined }).kind, 'valid');
  refused(at({ exp: undefined }), 'claim-missing');
  refused(at({ exp: noonSeconds }), 'expired', /compare the clocks/);
  refused(at({ exp: noonSeconds - 180 }), 'expired', /expired 3 min ago, at 2026-11-22T11:57:00Z/);
  refused(at({ exp: 0 }), 'expired');
  refused(at({ nbf: noonSeconds + 61 }), 'not-yet-valid', /in 1 min 1 s/);
  refused(at({ iat: noonSeconds + 61 }), 'issued-in-future');
  refused(at({ iat: undefined }), 'claim-missing', /no iat/);
  for (const name of ['exp', 'nbf', 'iat']) {
    for (const wrong of ['1795348800', -1, null, true, [noonSeconds], noon + 3_600_000, 1e20]) {
      refused(at({ [name]: wrong }), 'claim-type');
    }
    const text = JSON.stringify(goodClaims()).replace(new RegExp(`"${name}":\\d+`), `"${name}":1e400`);
    refused(judge({ claimsText: text }), 'claim-type', /is Infinity, not a time/);
  }
  refused(at({ exp: noon + 3_600_000 }), 'claim-type', /milliseconds\?/);
  refused(judge({ claims: { nbf: noonSeconds + 61 } }, verifierFor({ tolerance: hours(1) })), 'not-yet-valid');
  refused(judge({ claims: { nbf: noonSeconds + 1 } }, verifierFor({ tolerance: seconds(0) })), 'not-yet-valid');
});

test('VER-05: a token that lives longer than is accepted is refused, wherever its life is counted from', () => {
  const short = verifierFor({ longestLife: hours(1) });
  assert.equal(judge({}, short).kind, 'valid');
  refused(judge({ claims: { exp: noonSeconds + 3600 } }, short), 'lives-too-long', /lives 1 h 1 min, and at most 1 h/);
  const unmarked = { 'wlcg.ver': undefined, iat: undefined, nbf: undefined };
  refused(judge({ claims: { ...unmarked, exp: noonSeconds + 3601 } }, short), 'lives-too-long');
});

test('VER-06: crit is refused, whatever it demands', () => {
  for (const crit of [['b64'], ['x'], [], 'x', null, 7])
    refused(judge({ header: { crit, x: 1, b64: true } }), 'critical-header');
});

test('VER-06: a name twice, in header or claims, on any level and however it is written, is refused', () => {
  const claims = JSON.stringify(goodClaims());
  const head = JSON.stringify({ alg: 'ES256', kid: 'ec-1' });
  for (const twin of ['"sub":"root"', '"sub" : "root"', '"\\u0073ub":"root"', '"__proto__":1,"__proto__":2']) {
    refused(judge({ claimsText: claims.replace('{', `{${twin},`) }), 'malformed', /has a name twice/);
  }
  refused(judge({ claimsText: claims.replace('{', '{"act":{"sub":"a","sub":"b"},') }), 'malformed', /twice/);
  refused(judge({ headerText: head.replace('{', '{"kid":"rsa-1",') }), 'malformed', /twice/);
  const innocent = claims.replace(
    '{',
    '{ "act" : {"sub":"a","note":"{\\"sub\\":\\"}\\""},"list":[{"sub":"b"}],"x\\":":"\\":",',
  );
  assert.equal(judge({ claimsText: innocent }).kind, 'valid');
});

test('VER-06: base64url is strict, and parts that are no JSON objects are refused', () => {
  const good = signToken(ec);
  const [head = '', body = '', signature = ''] = good.split('.');
  const padded = `${body}${'='.repeat((4 - (body.length % 4)) % 4 || 4)}`;
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const stray = signature.slice(0, -1) + last[last.indexOf(signature.at(-1) ?? '') + 1];
  const wrong = [
    `${head}.${padded}.${signature}`,
    `${head}.${body}.${signature}==`,
    `${head}.${body}.${stray}`,
    `${head}.${body}\n.${signature}`,
    `${head} .${body}.${signature}`,
    ` ${good}`,
    `${good}\n`,
    `${head}.${body}`,
    `${good}.`,
    `.${body}.${signature}`,
    `${head}..${signature}`,
    `${head}.${body}.${signature}.${signature}.${signature}`,
    'opaque',
    '',
    '..',
  ];
  for (const text of wrong) refused(strict.verifyNow(text), 'malformed');
  for (const text of ['[]', '"x"', 'null', '7', '{', '{}x', '\u{feff}{}', '{"a":1,}', '']) {
    refused(judge({ claimsText: text }), 'malformed');
    refused(judge({ headerText: text }), 'malformed');
  }
  const notUtf8 = Buffer.from(`{"iss":"\xff"}`, 'latin1').toString('base64url');
  refused(strict.verifyNow(signText(ec, `${head}.${notUtf8}`)), 'malformed', /UTF-8/);
});

test('VER-07: a token above 16 KiB is not looked into', () => {
  refused(judge({ claims: { pad: 'x'.repeat(16 * 1024) } }), 'too-large');
});

test('VER-07: a token that is nested without end is refused, in whatever member that is, and never thrown at', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const claims = JSON.stringify(goodClaims());
  const withClaim = (name: string, value: string) =>
    judge({ claimsText: JSON.stringify(goodClaims({ [name]: undefined })).replace('{', `{"${name}":${value},`) });
  for (const name of ['exp', 'nbf', 'scope', 'aud', 'ver', 'typ', 'unknown'])
    refused(withClaim(name, nested(5000)), 'malformed', /nested too deeply/);
  for (const name of ['alg', 'kid', 'typ', 'crit'])
    refused(judge({ headerText: `{"${name}":${nested(5000)}}`, claimsText: claims }), 'malformed', /nested/);
  assert.equal(withClaim('unknown', nested(60)).kind, 'valid');
  // Brackets in a text, and many beside each other, are no depth.
  assert.equal(withClaim('unknown', JSON.stringify('[{"\\'.repeat(200))).kind, 'valid');
  assert.equal(withClaim('unknown', JSON.stringify(Array(200).fill([]))).kind, 'valid');
});

test('VER-08: an unknown major version is refused, an unknown minor accepted, unknown claims never widen rights', () => {
  for (const version of ['1.0', '1.1', '1.2', '1.17'])
    assert.equal(judge({ claims: { 'wlcg.ver': version } }).kind, 'valid');
  for (const version of ['2.0', '0.9', '1', '1.x', '', 1, 1.0, null])
    refused(judge({ claims: { 'wlcg.ver': version } }), 'profile');
  const marked = (ver: unknown, more = {}) => judge({ claims: { 'wlcg.ver': undefined, ver, ...more } });
  for (const ver of ['scitoken:2.0', 'scitokens:2.0', 'scitokens:1.0']) assert.equal(marked(ver).kind, 'valid');
  for (const ver of ['scitokens:3.0', 'SciTokens:2.0', '2.0', 2, null]) refused(marked(ver), 'profile');
  assert.equal(marked('scitokens:2.0', { foo: 1 }).kind, 'valid');
  refused(marked('scitokens:1.0', { foo: 1 }), 'profile', /does not allow the claim "foo"/);
  const odd = marked('scitokens:2.0', { 'wlcg.groups': ['/cms'], scp: ['storage.modify:/'], admin: true });
  const token = valid(odd as Verification);
  assert.deepEqual([token.groups, token.scopes], [[], ['storage.read:/data']]);
});

test('only the profiles that are trusted of an issuer are taken', () => {
  const wlcgOnly = verifierFor({ profiles: ['wlcg'] });
  assert.equal(judge({}, wlcgOnly).kind, 'valid');
  refused(judge({ claims: { 'wlcg.ver': undefined } }, wlcgOnly), 'profile', /only wlcg are taken/);
});

test('VER-09: a scope whose path is missing, or could mean two things, spoils the whole token', () => {
  const tricks = ['storage.read', 'storage.read:', 'storage.read:data', 'storage.modify:/a/../b', 'storage.read:/a//b'];
  const encodedTricks = [
    'storage.read:/%2e%2e/b',
    'storage.read:/a%2fb',
    'storage.read:/a%00',
    'storage.read:/%252e%252e',
  ];
  for (const scope of [...tricks, ...encodedTricks, 'read', 'write:x']) {
    refused(judge({ claims: { scope } }), 'scope');
    refused(judge({ claims: { scope: `storage.read:/data ${scope}` } }), 'scope', /spoils the whole token/);
  }
  for (const scope of ['storage.read:/a', '  storage.read:/a  compute.create ', 'openid', '']) {
    assert.equal(judge({ claims: { scope } }).kind, 'valid');
  }
  assert.equal(judge({ claims: { scope: undefined } }).kind, 'valid');
  for (const scope of [['storage.read:/a'], 7, null]) refused(judge({ claims: { scope } }), 'claim-type');
});

test('VER-10: nothing of what is told of a token leads back to its text', () => {
  const text = signToken(ec);
  const [, body = '', signature = ''] = text.split('.');
  const told = [strict.verifyNow(text), strict.verifyNow(`${text}x`), judge({ claims: { exp: 1 } }), strict.counters()];
  for (const one of told) {
    assert.ok(!JSON.stringify(one).includes(signature.slice(0, 20)), 'the signature is told');
    assert.ok(!JSON.stringify(one).includes(body.slice(0, 20)), 'the text is told');
  }
});

test('RFC 8725 section 3.11: ID tokens and other kinds of tokens cannot stand in for an access token', () => {
  for (const typ of ['JWT', 'jwt', 'application/jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', undefined]) {
    assert.equal(judge({ header: { typ } }).kind, 'valid', String(typ));
  }
  for (const typ of ['ID', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'JWS', '', 7, null]) {
    refused(judge({ header: { typ } }), 'type');
  }
  for (const mark of ['nonce', 'at_hash', 'c_hash']) refused(judge({ claims: { [mark]: 'x' } }), 'type', /ID token/);
  for (const typ of ['ID', 'Refresh', 'Logout']) refused(judge({ claims: { typ } }), 'type');
  assert.equal(judge({ claims: { typ: 'Bearer' } }).kind, 'valid');
});

test('claims have their kinds; subject and groups are as the profile says', () => {
  refused(judge({ claims: { sub: undefined } }), 'claim-missing', /no sub/);
  for (const sub of ['', 7, null, ['robot']]) refused(judge({ claims: { sub } }), 'claim-type');
  refused(judge({ claims: { jti: 7 } }), 'claim-type');
  for (const groups of ['/cms', 7, [7], ['/cms', null], {}])
    refused(judge({ claims: { 'wlcg.groups': groups } }), 'claim-type');
});

test('a name that is no group grants nothing, and the token is judged by the rest', () => {
  for (const [names, groups] of [
    [['/cms/Role=pilot', '/cms/uscms'], ['/cms/uscms']],
    [
      ['/cms', 'cms', '/cms/', '', '/a//b', '/cms/ops'],
      ['/cms', '/cms/ops'],
    ],
    [['/cms/Role=NULL/Capability=NULL'], []],
  ]) {
    const token = valid(judge({ claims: { 'wlcg.groups': names } }) as Verification);
    assert.deepEqual([token.groups, token.scopes], [groups, ['storage.read:/data']]);
    assert.deepEqual(token.claims['wlcg.groups'], names);
  }
});

test('an at+jwt of RFC 9068 may have scopes of its own, which mean nothing here', () => {
  const claims = { 'wlcg.ver': undefined, client_id: 'c', scope: 'read openid' };
  const token = valid(judge({ claims, header: { typ: 'at+jwt' } }) as Verification);
  assert.deepEqual([token.profile, token.scopes], ['at+jwt', ['read', 'openid']]);
});

test('a signature that was changed, cut, empty, or made by another key of the same name is refused', () => {
  const text = signToken(ec);
  const dot = text.lastIndexOf('.') + 1;
  const [signed, signature] = [text.slice(0, dot), Buffer.from(text.slice(dot), 'base64url')];
  const flipped = Buffer.from(signature);
  flipped[40] = (flipped[40] ?? 0) ^ 1;
  const wrong = [
    flipped,
    Buffer.alloc(64),
    Buffer.alloc(0),
    signature.subarray(0, 63),
    Buffer.concat([signature, signature]),
  ];
  for (const one of wrong) refused(strict.verifyNow(signed + one.toString('base64url')), 'signature');
  refused(strict.verifyNow(signToken(makeKey('ec-1'))), 'signature', /key "ec-1"/);
  refused(strict.verifyNow(signToken(makeKey('rsa-1', 'RS256'))), 'signature');
});

test('signatures with leading zeros in r and s are read right', () => {
  for (let count = 0; count < 600; count += 1) {
    assert.equal(strict.verifyNow(signToken(ec, { claims: { jti: String(count) } })).kind, 'valid');
  }
});

test('an unknown key is told of with those that are known', () => {
  refused(
    strict.verifyNow(signToken(makeKey('new'))),
    'key-unknown',
    /the key "new".*the keys at hand are "ec-1", "rsa-1"/,
  );
});

test('tokens that jose signs are valid, and what jose signs with other keys or claims is not', async () => {
  for (const key of [ec, rsa]) {
    const { iss: _, ...claims } = goodClaims();
    const signed = (by = key) =>
      new SignJWT({ ...claims })
        .setIssuer(issuer)
        .setProtectedHeader({ alg: key.alg, kid: key.kid })
        .sign(by.privateKey);
    assert.equal((await strict.verify(await signed())).kind, 'valid');
    refused(await strict.verify(await signed(makeKey(key.kid, key.alg))), 'signature');
  }
  const noJson = await new CompactSign(Buffer.from('text'))
    .setProtectedHeader({ alg: 'ES256', kid: 'ec-1' })
    .sign(ec.privateKey);
  refused(await strict.verify(noJson), 'malformed');
});

test('whatever is given is refused, never believed and never thrown at', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.tuple(fc.base64String(), fc.base64String()).map(String)),
      (text) => {
        assert.equal(strict.verifyNow(text).kind, 'refused');
      },
    ),
  );
  fc.assert(
    fc.property(fc.json(), fc.json(), (header, claims) => {
      assert.equal(strict.verifyNow(signText(ec, `${encoded(header)}.${encoded(claims)}`)).kind, 'refused');
    }),
  );
});

test('no change of a good token leaves it valid', () => {
  const good = signToken(ec);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), fc.nat(3), (at, put, cut) => {
      const changed = good.slice(0, at) + put + good.slice(at + cut);
      if (changed !== good) assert.equal(strict.verifyNow(changed).kind, 'refused', changed);
    }),
    { numRuns: 1000 },
  );
});

test('odd claims, rightly signed, are judged without a throw', () => {
  const names = [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'scope',
    'wlcg.groups',
    'wlcg.ver',
    'ver',
    'typ',
    'nonce',
  ];
  const odd = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(
    fc.property(odd, odd, (claims, header) => {
      assert.match(judge({ claims, header }).kind, /^(valid|refused)$/);
    }),
  );
});

test('keys at hand that are none are a mistake of the configuration', () => {
  const keys = (text: string) => () => verifierFor({ keys: { kind: 'jwks', text, from: 'keys.json' } });
  assert.throws(keys('{'), { code: 'config-invalid', message: /keys\.json is no key set/ });
  assert.throws(keys('{"keys":[]}'), { code: 'config-invalid', message: /keys\.json has no key that can be used/ });
  assert.throws(keys(jwksOf({ ...ec, jwk: { ...ec.jwk, crv: 'P-384' } })), /its curve is "P-384"/);
});

test('good and refused tokens are counted by issuer and reason', () => {
  const verifier = verifierFor();
  judge({}, verifier);
  judge({ claims: { exp: 1 } }, verifier);
  judge({ claims: { exp: 2 } }, verifier);
  judge({ claims: { iss: 'https://evil.example' } }, verifier);
  assert.deepEqual(verifier.counters(), { [issuer]: { valid: 1, expired: 2 } });
});
