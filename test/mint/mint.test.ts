import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createIssuer, deps, freshDirectory, newIssuer, openIssuer, request, stoppedWorld, url } from './issuer-bed.ts';

test('a token that was minted verifies with jose, with what the request said and no more', async () => {
  const world = stoppedWorld();
  const directory = freshDirectory();
  await (await createIssuer(world, directory, newIssuer(), deps)).close();
  const issuer = await openIssuer(world, directory, deps);
  const minted = await issuer.mint(request());
  const keys = createLocalJWKSet({ keys: (await issuer.keys()).map(({ jwk }) => ({ ...jwk })) as never });
  const { payload, protectedHeader } = await jwtVerify(minted.token.reveal(), keys, {
    issuer: url,
    audience: 'https://se.example.org',
    currentDate: new Date(world.clock.now()),
  });
  assert.deepEqual(protectedHeader, { typ: 'JWT', alg: 'ES256', kid: minted.kid });
  const iat = world.clock.now() / 1000;
  assert.deepEqual(payload, {
    'wlcg.ver': '1.0',
    iss: url,
    sub: 'pilot-1',
    aud: 'https://se.example.org',
    exp: iat + 3600,
    nbf: iat - 60,
    iat,
    jti: minted.jti,
    client_id: 'pilot-1',
    scope: 'storage.read:/osg/data',
  });
  const [made, issued] = await issuer.audit.lines({});
  assert.equal(made?.entry.event, 'key-made');
  assert.equal(issued?.entry.jti, minted.jti);
  assert.equal((await issuer.audit.verify()).kind, 'whole');
  await issuer.close();
});
