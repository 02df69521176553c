import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KeySet, readKeySet } from '../../src/verify/jwks.ts';
import { readJws, signatureHolds } from '../../src/verify/verify-jws.ts';
import { makeKey, signToken, type TestKey } from './signing.ts';

const ec = makeKey('ec');
const rsa = makeKey('rsa', 'RS256');

function read(...keys: readonly unknown[]): KeySet {
  const reading = readKeySet(JSON.stringify({ keys }));
  assert.ok(reading.kind === 'keys');
  return reading.set;
}

/** Does the only key of the set verify what `key` signs? */
function verifies(set: KeySet, key: TestKey): boolean {
  const jws = readJws(signToken(key));
  const [only] = set.keys;
  return jws.kind === 'jws' && only !== undefined && signatureHolds(jws, only);
}

const passedOver = (jwk: unknown, why: RegExp) => {
  const set = read(jwk);
  assert.equal(set.keys.length, 0, JSON.stringify(jwk));
  assert.match(set.remarks.join(), why);
};

test('EC and RSA keys are read, each for its one algorithm', () => {
  const set = read(ec.jwk, rsa.jwk);
  assert.deepEqual(
    [...set.byKid].map(([kid, { algorithm }]) => [kid, algorithm]),
    [
      ['ec', 'ES256'],
      ['rsa', 'RS256'],
    ],
  );
  assert.deepEqual(set.remarks, []);
  const { alg: _, use: __, ...bare } = ec.jwk;
  assert.ok(verifies(read(bare), ec));
});

test('what issuers of the field write is read, and remarked: padding, no crv, coordinates without leading zeros', () => {
  const padded = { ...ec.jwk, x: `${ec.jwk['x']}=`, y: `${ec.jwk['y']}=` };
  assert.ok(verifies(read(padded), ec));
  assert.match(read(padded).remarks.join(), /key "ec" is written with padding/);
  const { crv: _, ...noCurve } = ec.jwk;
  assert.ok(verifies(read(noCurve), ec));
  assert.match(read(noCurve).remarks.join(), /does not name its curve/);
  const { alg: __, ...nothing } = noCurve;
  passedOver(nothing, /neither its curve nor its algorithm/);
  const short = shortKey();
  const x = Buffer.from(String(short.jwk['x']), 'base64url').subarray(1).toString('base64url');
  assert.ok(verifies(read({ ...short.jwk, x }), short));
  assert.match(read({ ...short.jwk, x }).remarks.join(), /without its leading zeros/);
});

/** One key of 256 has an x that begins with a zero. */
function shortKey(): TestKey {
  for (;;) {
    const key = makeKey('short');
    if (Buffer.from(String(key.jwk['x']), 'base64url')[0] === 0) return key;
  }
}

test('keys that are not for us are passed over with a remark, and the others count', () => {
  const other = (change: object) => ({ ...ec.jwk, ...change });
  passedOver(other({ kty: 'oct', k: 'c2VjcmV0' }), /its type is "oct"/);
  passedOver(other({ kty: 'OKP', crv: 'Ed25519' }), /its type is "OKP"/);
  passedOver(other({ use: 'enc' }), /not for signatures/);
  passedOver(other({ key_ops: ['sign'] }), /not for verifying/);
  passedOver(other({ alg: 'ES384' }), /its algorithm is "ES384"/);
  passedOver(other({ alg: 'HS256' }), /its algorithm is "HS256"/);
  passedOver(other({ crv: 'secp256k1' }), /its curve is "secp256k1"/);
  passedOver(other({ x: other({})['y'] }), /no point of its curve/);
  passedOver(other({ x: 'AAAA' }), /no point of its curve/);
  passedOver(other({ x: `${ec.jwk['x']}AAAA` }), /too long/);
  passedOver(other({ x: 7 }), /not base64url/);
  passedOver(other({ x: 'a+b/' }), /not base64url/);
  passedOver(other({ kid: 7 }), /its kid is not text/);
  for (const nothing of [null, 7, 'x', []]) passedOver(nothing, /key number 1 is passed over: it is not a JSON object/);
  const mixed = read({ kty: 'oct' }, null, ec.jwk, rsa.jwk);
  assert.deepEqual([mixed.keys.length, mixed.remarks.length], [2, 2]);
});

test('RSA keys have 2048 bits at least and an exponent with which forging is not free', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  passedOver({ ...small, kid: 'a' }, /its modulus has 1024 bits/);
  passedOver({ ...rsa.jwk, n: Buffer.alloc(2000, 0xff).toString('base64url') }, /its modulus has 16000 bits/);
  for (const e of ['AQ', 'AA', 'Ag', '_____________w']) passedOver({ ...rsa.jwk, e }, /its exponent/);
  passedOver({ ...rsa.jwk, alg: 'PS256' }, /its algorithm is "PS256"/);
});

test('a key whose private half stands in the key set is not used, also where it stands there a second time without', () => {
  for (const open of [ec, rsa]) {
    const leaked = { ...open.privateKey.export({ format: 'jwk' }), kid: open.kid };
    passedOver(leaked, new RegExp(`key "${open.kid}" is passed over: it has its private half in it`));
    passedOver({ ...open.jwk, d: '' }, /its private half in it/);
    const other = makeKey('other');
    const set = read({ ...open.jwk, kid: 'twin' }, leaked, other.jwk, { ...open.jwk, crv: undefined });
    assert.deepEqual([...set.byKid.keys()], ['other']);
    assert.match(set.remarks.join(), /key "twin" is passed over: the same key stands there with its private half/);
  }
});

test('of two keys with one kid the first counts; one without a kid is kept for tokens that name none', () => {
  const twin = makeKey('ec');
  const set = read(ec.jwk, twin.jwk);
  assert.ok(verifies(set, ec));
  assert.match(set.remarks.join(), /an earlier key has the same kid/);
  const { kid: _, ...nameless } = ec.jwk;
  const single = read(nameless);
  assert.deepEqual([single.keys.length, single.byKid.size], [1, 0]);
  assert.match(single.remarks.join(), /has no kid/);
});

test('VER-07: key sets above 256 KiB or 64 keys are refused as a whole', () => {
  const keys = (count: number) => JSON.stringify({ keys: Array.from({ length: count }, () => ec.jwk) });
  assert.equal(readKeySet(keys(64)).kind, 'keys');
  assert.deepEqual(readKeySet(keys(65)), { kind: 'refused', why: 'it has 65 keys, and more than 64 are not read' });
  assert.equal(readKeySet(`${keys(1)}${' '.repeat(256 * 1024)}`).kind, 'refused');
  for (const text of ['', '{', '[]', 'null', '{"keys":{}}', '<html></html>'])
    assert.equal(readKeySet(text).kind, 'refused');
});

test('whatever is read, nothing is thrown', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  for (const member of ['use', 'kty', 'key_ops', 'x'])
    assert.equal(readKeySet(`{"keys":[{"${member}":${deep}}]}`).kind, 'refused');
  assert.equal(readKeySet(JSON.stringify({ keys: [{ kty: '["\\'.repeat(1000) }] })).kind, 'keys');
  const odd = fc.record(
    {
      kty: fc.constantFrom('EC', 'RSA', 'x'),
      crv: fc.jsonValue(),
      x: fc.string(),
      y: fc.base64String(),
      n: fc.base64String(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(odd, fc.jsonValue())), (keys) => {
      assert.match(readKeySet(JSON.stringify({ keys })).kind, /^(keys|refused)$/);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void readKeySet(text)));
});
