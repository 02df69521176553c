import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, type webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { readClientKey } from '../../src/issue/client-key.ts';
import { serverUrls } from '../../src/issue/server-urls.ts';
import type { SigningKey } from '../../src/mint/signing-key.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { mono } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { post, serverBed } from './server-bed.ts';

/** A server with TLS that this process trusts. */
async function tlsBed(path: string) {
  await using stack = new AsyncDisposableStack();
  const ca = stack.use(await throwAwayCa());
  setDefaultCACertificates([...getCACertificates(), await readFile(ca.caFile, 'utf8')]);
  const { certFile, keyFile } = await ca.certificate();
  const tls = { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  const bed = stack.use(await serverBed({ path, server: { tls } }));
  const owned = stack.move();
  return Object.assign(Object.create(bed) as typeof bed, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

const keyPairs = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

const webKey = async (key: KeyObject, alg: 'ES256' | 'RS256'): Promise<webcrypto.CryptoKey> =>
  await crypto.subtle.importKey(
    'pkcs8',
    new Uint8Array(key.export({ type: 'pkcs8', format: 'der' })),
    alg === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    false,
    ['sign'],
  );

for (const path of ['', '/vo', '/vo/']) {
  test(`openid-client finds an issuer ${path === '' ? 'without a path' : `at ${path}`} by OpenID Connect Discovery and by RFC 8414, and gets a token`, async () => {
    await using bed = await tlsBed(path);
    const { id, secret } = await bed.client();
    for (const algorithm of ['oidc', 'oauth2'] as const) {
      const config = await openid.discovery(new URL(bed.url), id, secret, openid.ClientSecretBasic(secret), {
        algorithm,
      });
      assert.equal(config.serverMetadata().issuer, bed.url);
      const tokens = await openid.clientCredentialsGrant(config, { scope: 'storage.read:/x' });
      assert.equal(tokens.scope, 'storage.read:/x');
      assert.equal(tokens.token_type, 'bearer');
    }
  });
}

for (const alg of ['ES256', 'RS256'] as const) {
  test(`openid-client proves itself with private_key_jwt and ${alg}, and asks for an audience`, async () => {
    await using bed = await tlsBed('/vo');
    const pair = keyPairs[alg]();
    const key = readClientKey(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'test');
    const { id } = await bed.client({ key });
    const proof = openid.PrivateKeyJwt(await webKey(pair.privateKey, alg));
    const config = await openid.discovery(new URL(bed.url), id, {}, proof);
    const first = await openid.clientCredentialsGrant(config, { resource: 'https://se.example.org' });
    const second = await openid.clientCredentialsGrant(config, { audience: 'https://se.example.org' });
    assert.notEqual(first.access_token, second.access_token);
    const other = keyPairs[alg]();
    const wrong = await openid.discovery(
      new URL(bed.url),
      id,
      {},
      openid.PrivateKeyJwt(await webKey(other.privateKey, alg)),
    );
    await assert.rejects(() => openid.clientCredentialsGrant(wrong, {}), { error: 'invalid_client' });
  });
}

test('oauth4webapi: a token verifies against the published keys, is introspected by its audience, and is revoked', async () => {
  await using bed = await tlsBed('/vo');
  const asking = await bed.client();
  const storage = await bed.client({ name: 'storage', grants: [], serves: ['https://se.example.org'] });
  const url = new URL(bed.url);
  const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: 'oauth2' }));
  const client: oauth.Client = { client_id: asking.id };
  const auth = oauth.ClientSecretPost(asking.secret);
  const answer = await oauth.clientCredentialsGrantRequest(
    as,
    client,
    auth,
    new URLSearchParams({ scope: 'storage.read:/' }),
  );
  const { access_token: token } = await oauth.processClientCredentialsResponse(as, client, answer);

  const keys = (await (await fetch(String(as.jwks_uri))).json()) as { keys: { kid: string }[] };
  const { createLocalJWKSet, jwtVerify } = await import('jose');
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys as never), {
    issuer: bed.url,
    audience: 'https://se.example.org',
  });
  assert.equal(protectedHeader.kid, keys.keys[0]?.kid);

  const introspect = async (who: { id: string; secret: string }) => {
    const me = { client_id: who.id };
    const response = await oauth.introspectionRequest(as, me, oauth.ClientSecretPost(who.secret), token);
    return await oauth.processIntrospectionResponse(as, me, response);
  };
  const seen = await introspect(storage);
  assert.deepEqual(
    [seen.active, seen.client_id, seen.scope, seen.jti],
    [true, asking.id, 'storage.read:/', payload.jti],
  );
  const revoke = await oauth.revocationRequest(as, client, auth, token);
  assert.equal(await oauth.processRevocationResponse(revoke), undefined);
  assert.equal((await introspect(storage)).active, false);
});

test('the key set has an ETag, may be kept for an hour, and is new the moment a key is', async () => {
  await using bed = await tlsBed('/vo');
  const { rotateKeys } = await import('../../src/mint/rotate-keys.ts');
  const at = bed.at('/oauth2/certs');
  const first = await fetch(at);
  const tag = String(first.headers.get('etag'));
  assert.equal(first.headers.get('cache-control'), 'public, max-age=3600');
  assert.equal(first.headers.get('access-control-allow-origin'), '*');
  const [signing] = await bed.issuer.keys();
  assert.ok(signing?.publishedAt !== undefined, 'served is published');
  for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
    const again = await fetch(at, { headers: { 'if-none-match': known } });
    assert.deepEqual([again.status, await again.text()], [304, ''], known);
  }
  await rotateKeys(bed.issuer, { now: true, reason: 'a test', by: 'test' });
  // At most a second old: asked until it shows.
  let kids: number | undefined;
  for (const end = Date.now() + 5_000; kids !== 2 && Date.now() < end; ) {
    const response = await fetch(at, { headers: { 'if-none-match': tag } });
    kids = response.status === 304 ? 1 : ((await response.json()) as { keys: unknown[] }).keys.length;
  }
  assert.equal(kids, 2);
});

test('while the database hangs the keys are served as they were, before anybody gives up waiting for them', async () => {
  let ahead = 0;
  const real = realWorld();
  const clock = { ...real.clock, monotonic: () => mono(real.clock.monotonic() + ahead) };
  await using bed = await serverBed({ world: { ...real, clock } });
  const keys = async () => await (await fetch(bed.at('/oauth2/certs'), { signal: AbortSignal.timeout(5_000) })).text();
  const before = await keys();
  const answer = Promise.withResolvers<readonly SigningKey[]>();
  const found = await bed.issuer.keys();
  bed.issuer.keys = () => answer.promise;
  ahead += 2_000;
  assert.deepEqual(await Promise.all([keys(), keys()]), [before, before]);
  answer.resolve([...found, ...found]);
  assert.notEqual(await keys(), before, 'taken as soon as it is there');
});

test('what means something to a router means itself in the path of an issuer, or is refused at the start', async () => {
  await using bed = await serverBed({ path: '/vo:prod' });
  const status = async (path: string) => (await fetch(`${bed.origin}${path}`)).status;
  assert.equal(await status('/vo:prod/oauth2/certs'), 200);
  assert.equal(await status('/.well-known/oauth-authorization-server/vo:prod'), 200);
  assert.equal(await status('/vo-other/oauth2/certs'), 404);
  assert.equal((await post(bed.at('/token'), {})).status, 401);
  for (const path of ['/a%20b', '/a*']) {
    assert.throws(() => serverUrls(`https://tokens.example.org${path}` as IssuerUrl), /cannot answer for/, path);
  }
});

test('an issuer with a slash at its end answers where libraries look that put the well-known word behind it', async () => {
  await using bed = await tlsBed('/vo/');
  for (const path of [
    '/vo/.well-known/openid-configuration',
    '/vo//.well-known/openid-configuration',
    '/vo//.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration/vo',
    '/.well-known/oauth-authorization-server/vo',
  ]) {
    const response = await fetch(`${bed.origin}${path}`);
    assert.equal(response.status, 200, path);
    assert.equal(((await response.json()) as { issuer: string }).issuer, bed.url, path);
  }
  await using root = await tlsBed('/');
  for (const path of [
    '/.well-known/openid-configuration',
    '//.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/',
  ]) {
    assert.equal((await fetch(`${root.origin}${path}`)).status, path.endsWith('/') ? 404 : 200, path);
  }
});
