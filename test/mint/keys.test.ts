import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { jwkOf, keyPairOf, makeKeyPair, privatePem, readPrivatePem, thumbprint } from '../../src/mint/key-pair.ts';
import { rawSignature, signJws } from '../../src/mint/sign-jws.ts';
import type { SigningAlgorithm } from '../../src/mint/signing-key.ts';
import { isFault } from './issuer-bed.ts';

const home = mkdtempSync(join(tmpdir(), 'tokeep-keys-'));
after(() => rmSync(home, { recursive: true, force: true }));

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: home, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}
const openssl = (...args: readonly string[]): string => run('openssl', args);
const unusable = (says: RegExp) => (thrown: unknown) =>
  isFault('signing-key-unusable')(thrown) &&
  says.test(thrown.message) &&
  !/MII|BEGIN/.test(thrown.message + thrown.hint);

test('new keys: the JWK is whole and unpadded, the kid is the thumbprint of RFC 7638, and jose verifies with it', async () => {
  for (const algorithm of ['ES256', 'RS256'] as const satisfies readonly SigningAlgorithm[]) {
    const { jwk, privateKey } = await makeKeyPair(algorithm);
    assert.equal(jwk.kid, await calculateJwkThumbprint({ ...jwk }));
    assert.deepEqual([jwk.alg, jwk.use, jwk.kty], [algorithm, 'sig', algorithm === 'ES256' ? 'EC' : 'RSA']);
    assert.ok(!JSON.stringify(jwk).includes('=') && !('d' in jwk));
    const text = signJws({ typ: 'JWT', kid: jwk.kid }, { sub: 'ä' }, privateKey, algorithm);
    const { payload, protectedHeader } = await compactVerify(text, await importJWK({ ...jwk }, algorithm));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), { sub: 'ä' });
    assert.deepEqual(protectedHeader, { typ: 'JWT', alg: algorithm, kid: jwk.kid });
  }
});

test('ISS-12: new RSA keys have 3072 bits', async () => {
  const { privateKey } = await makeKeyPair('RS256');
  assert.equal(privateKey.asymmetricKeyDetails?.modulusLength, 3072);
});

test('coordinates have 32 bytes, also those that begin with a zero', () => {
  for (let found = 0, tries = 0; found < 2 && tries < 4000; tries += 1) {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x, y } = jwkOf(publicKey);
    for (const coordinate of [x, y]) {
      const bytes = Buffer.from(String(coordinate), 'base64url');
      assert.equal(bytes.length, 32);
      if (bytes[0] === 0) found += 1;
    }
  }
});

test('a signature in DER comes out as 64 bytes, the same as node makes them', () => {
  const derOf = (r: Buffer, s: Buffer) => {
    const integer = (bytes: Buffer) => {
      let start = 0;
      while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
      const short = bytes.subarray(start);
      const whole = (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
      return Buffer.concat([Buffer.of(2, whole.length), whole]);
    };
    const body = Buffer.concat([integer(r), integer(s)]);
    return Buffer.concat([Buffer.of(0x30, body.length), body]);
  };
  const half = fc.tuple(fc.integer({ min: 0, max: 31 }), fc.uint8Array({ minLength: 32, maxLength: 32 })).map(
    // Leading zeros, as one signature in 256 has them.
    ([zeros, bytes]) => Buffer.concat([Buffer.alloc(zeros), Buffer.from(bytes)]).subarray(0, 32),
  );
  fc.assert(
    fc.property(half, half, (r, s) => {
      assert.deepEqual(rawSignature(derOf(r, s)), Buffer.concat([r, s]));
    }),
  );
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (let i = 0; i < 600; i += 1) {
    const data = Buffer.of(i % 256);
    const raw = rawSignature(sign('sha256', data, privateKey));
    assert.ok(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw));
  }
});

test('private keys as openssl writes them: SEC1 with and without parameters, PKCS#8, PKCS#1', () => {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-out', 'sec1.pem');
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'bare.pem');
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'sec1.pem', '-out', 'pkcs8.pem');
  openssl('genrsa', '-traditional', '-out', 'pkcs1.pem', '2048');
  const read = (file: string) => keyPairOf(readPrivatePem(openssl('pkey', '-in', file, '-traditional')), 'c013');
  const text = (file: string) => readFileSync(join(home, file), 'utf8');
  assert.match(text('sec1.pem'), /EC PARAMETERS[\s\S]*EC PRIVATE KEY/);
  const [one, other] = ['sec1.pem', 'pkcs8.pem'].map((file) => keyPairOf(readPrivatePem(text(file)), 'c013'));
  assert.deepEqual(one?.jwk, other?.jwk);
  assert.deepEqual([one?.jwk.kid, one?.algorithm], ['c013', 'ES256']);
  assert.equal(keyPairOf(readPrivatePem(text('bare.pem'))).algorithm, 'ES256');
  assert.match(text('pkcs1.pem'), /BEGIN RSA PRIVATE KEY/);
  assert.equal(read('pkcs1.pem').algorithm, 'RS256');
  const { privateKey, jwk } = keyPairOf(readPrivatePem(text('bare.pem')));
  assert.equal(thumbprint(keyPairOf(readPrivatePem(privatePem(privateKey).reveal())).jwk), thumbprint(jwk));
});

test('what is no key to sign with is said to be what it is, and nothing of it is quoted', () => {
  const pem = (type: 'ec' | 'rsa', options: object) =>
    String(
      generateKeyPairSync(type as 'ec', { namedCurve: 'P-256', ...options }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
      }),
    );
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  const options = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  const encrypted = String(privateKey.export({ type: 'pkcs8', ...options }));
  const encryptedSec1 = String(privateKey.export({ type: 'sec1', ...options }));
  assert.throws(() => readPrivatePem(publicPem), unusable(/only a public key/));
  assert.throws(() => readPrivatePem(encrypted), unusable(/encrypted with a passphrase/));
  assert.throws(() => readPrivatePem(encryptedSec1), unusable(/encrypted with a passphrase/));
  assert.throws(() => readPrivatePem(pem('ec', { namedCurve: 'P-384' })), unusable(/curve secp384r1/));
  assert.throws(() => readPrivatePem(pem('ec', { namedCurve: 'secp256k1' })), unusable(/curve secp256k1/));
  assert.throws(
    () => readPrivatePem(pem('rsa', { modulusLength: 1024 })),
    unusable(/1024 bits, and the least is 2048/),
  );
  const ed = String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  assert.throws(() => readPrivatePem(ed), unusable(/of the kind ed25519/));
  assert.throws(() => readPrivatePem('{"kty":"EC"}'), unusable(/JSON and no PEM/));
  assert.throws(() => readPrivatePem(''), unusable(/no private key in PEM/));
  const damaged = encrypted.replaceAll('ENCRYPTED PRIVATE', 'PRIVATE');
  assert.throws(() => readPrivatePem(damaged), unusable(/does not read/));
});
