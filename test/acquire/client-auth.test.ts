import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { applyClientAuth, resolveClientAuth } from '../../src/acquire/client-auth.ts';
import { clientCredentials } from '../../src/acquire/client-credentials.ts';
import { Fault } from '../../src/fault/fault.ts';
import { type ClientSecret, Secret } from '../../src/token/secret.ts';
import { basicAuth, contextOf, robotAccount, testWorld, wish } from './grant-samples.ts';

const world = testWorld();
after(() => world.http.close());

/** A key the way a configuration has it: a secret by reference. */
const keyAuth = (text: string, algorithm?: string) => ({
  kind: 'private_key_jwt' as const,
  key: { kind: 'inline' as const, secret: new Secret('private_key', text) as unknown as ClientSecret },
  keyId: 'k1',
  ...(algorithm === undefined ? {} : { algorithm }),
});
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

test('basic authentication encodes what must be and leaves - . _ and UUIDs as they are', async () => {
  const pairOf = async (clientId: string, secret: string) => {
    const auth = await resolveClientAuth(world, { clientId, clientAuth: basicAuth(secret) });
    const proof = await applyClientAuth(world, new URLSearchParams(), { clientId, auth, audience: 'x' });
    return Buffer.from(proof.headers['authorization']?.slice(6) ?? '', 'base64').toString();
  };
  assert.equal(await pairOf('0e7a-4.b_c', 'A-b_9.'), '0e7a-4.b_c:A-b_9.');
  assert.equal(await pairOf('a:b', 'p%q r+é'), 'a%3Ab:p%25q+r%2B%C3%A9');
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (id, secret) => {
      const [first = '', second = '', ...more] = (await pairOf(id, secret)).split(':');
      const decode = (text: string) => new URLSearchParams(`x=${text}`).get('x');
      assert.deepEqual([decode(first), decode(second), more], [id, secret, []]);
    }),
    { numRuns: 50 },
  );
});

test('a client assertion is for the issuer, lives a minute, is never the same twice, and its algorithm fits the key', async () => {
  const pairs = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    EdDSA: generateKeyPairSync('ed25519'),
  };
  const seen = new Set<unknown>();
  for (const [algorithm, { privateKey }] of Object.entries(pairs)) {
    const auth = await resolveClientAuth(world, { clientId: 'c', clientAuth: keyAuth(pem(privateKey)) });
    const form = new URLSearchParams();
    await applyClientAuth(world, form, { clientId: 'c', auth, audience: 'https://issuer.example/' });
    const checked = await jwtVerify(form.get('client_assertion') ?? '', createPublicKey(privateKey), {
      audience: 'https://issuer.example/',
      issuer: 'c',
      subject: 'c',
    });
    assert.deepEqual(checked.protectedHeader, { alg: algorithm, kid: 'k1' });
    assert.equal((checked.payload.exp ?? 0) - (checked.payload.iat ?? 0), 60);
    seen.add(checked.payload.jti);
  }
  assert.equal(seen.size, 4);
});

test('scenario 44: a key that is none, or cannot sign, is named by its client only, and nothing is sent', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (const clientAuth of [
    keyAuth('-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----'),
    keyAuth('{"kty":"EC","d":"canary"}'),
    keyAuth(pem(privateKey), 'RS256'),
  ]) {
    const issuer = { kind: 'token-endpoint', url: 'https://issuer.invalid/token' } as const;
    const account = robotAccount('', { client_id: 'keyed' }, { issuer, clientAuth });
    const answer = await clientCredentials.send(contextOf(world, account), wish());
    assert.ok(answer.kind === 'none' && answer.sent === 'no' && answer.fault instanceof Fault);
    assert.equal(answer.fault.code, 'secret-unreadable');
    assert.match(answer.fault.message, /client keyed/);
    assert.doesNotMatch(inspect(answer, { depth: 9, showHidden: true }), /canary/);
  }
});
