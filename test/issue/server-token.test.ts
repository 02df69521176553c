import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from '../../src/token/jwt.ts';
import { basic, post, serverBed } from './server-bed.ts';

test('ISS-11: a client with a secret gets a token that carries every claim, and is told its scope and its life', async () => {
  await using bed = await serverBed({ path: '/vo' });
  const { id, secret } = await bed.client();
  const { status, headers, body } = await post(
    bed.at('/token'),
    { grant_type: 'client_credentials', scope: 'storage.read:/home' },
    { authorization: basic(id, secret) },
  );
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('access-control-allow-origin'), null);
  assert.deepEqual(Object.keys(body).toSorted(), ['access_token', 'expires_in', 'scope', 'token_type']);
  assert.equal(body['scope'], 'storage.read:/home');
  assert.equal(body['expires_in'], 3600);
  const jwt = decodeJwt(String(body['access_token']));
  assert.ok(jwt.kind === 'jwt');
  const { jti, exp, iat, nbf, ...claims } = jwt.claims;
  assert.deepEqual(claims, {
    iss: bed.url,
    sub: id,
    client_id: id,
    aud: 'https://se.example.org',
    scope: 'storage.read:/home',
    'wlcg.ver': '1.0',
  });
  assert.deepEqual([typeof jti, typeof exp, typeof iat, typeof nbf], ['string', 'number', 'number', 'number']);
});
