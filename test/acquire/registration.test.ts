import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { IssuerMetadata } from '../../src/acquire/metadata.ts';
import { type RegistrationWish, registerClient, registrationRequest } from '../../src/acquire/registration.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type Scripted, scriptedIssuer } from './login-peer.ts';

function wishFor(origin: string, metadata: Partial<IssuerMetadata> = {}): RegistrationWish {
  return {
    metadata: {
      issuer: origin as IssuerUrl,
      tokenEndpoint: `${origin}/token`,
      registrationEndpoint: `${origin}/register`,
      raw: {},
      ...metadata,
    },
    clientName: 'tokeep:pilot-host1',
    scope: ['openid', 'offline_access'],
    initialAccessToken: new Secret('access_token', 'initial-canary'),
    timeout: seconds(5),
    signal: new AbortController().signal,
  };
}

async function register(answer: Scripted) {
  await using issuer = await scriptedIssuer({ '/register': [answer] });
  const world = realWorld();
  const outcome = await registerClient(world, wishFor(issuer.origin));
  await world.http.close();
  return { outcome, asked: issuer.asked };
}

test('what is asked for is cut down to what the issuer supports', () => {
  const asked = registrationRequest(
    wishFor('https://i.test', {
      grantTypesSupported: ['refresh_token', 'urn:ietf:params:oauth:grant-type:device_code', 'password'],
      tokenEndpointAuthMethodsSupported: ['private_key_jwt', 'client_secret_post'],
    }),
  );
  assert.deepEqual(asked['grant_types'], ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token']);
  assert.equal(asked['token_endpoint_auth_method'], 'client_secret_post');
  assert.deepEqual(asked['redirect_uris'], []);
  assert.equal(asked['client_name'], 'tokeep:pilot-host1');
});

test('the initial access token goes out as bearer, and the registration token comes back as a secret', async () => {
  const json = {
    client_id: 'new-client',
    client_secret: 'secret-canary',
    registration_access_token: 'registration-canary',
    registration_client_uri: 'https://i.test/register/new-client',
    token_endpoint_auth_method: 'client_secret_post',
  };
  const { outcome, asked } = await register({ status: 201, json });
  assert.equal(asked[0]?.headers.authorization, 'Bearer initial-canary');
  assert.ok(outcome.kind === 'registered');
  assert.equal(outcome.client.registrationToken?.reveal(), 'registration-canary');
  assert.equal(outcome.client.authMethod, 'client_secret_post');
  assert.doesNotMatch(inspect(outcome, { depth: 9 }) + JSON.stringify(outcome), /canary/);
});

test('a client that gets no secret is a public one, whatever was asked for', async () => {
  const { outcome } = await register({ status: 201, json: { client_id: 'public-1' } });
  assert.ok(outcome.kind === 'registered');
  assert.equal(outcome.client.authMethod, 'none');
});

test('a refusal is a value with the issuer’s reason, without the token that was sent', async () => {
  const json = { error: 'invalid_redirect_uri', error_description: 'not you, Bearer initial-canary' };
  const { outcome } = await register({ status: 400, json });
  assert.ok(outcome.kind === 'not-registered');
  assert.match(outcome.fault.message, /invalid_redirect_uri/);
  assert.match(outcome.fault.hint ?? '', /--client-id/);
  assert.doesNotMatch(inspect(outcome), /initial-canary/);
});

for (const [name, answer] of Object.entries({
  'an HTML page': { status: 200, json: '<html>welcome</html>' },
  'an answer without a client id': { status: 201, json: { client_secret: 'x' } },
  'a broken server': { status: 502, json: '<html>' },
  'a cut connection': 'cut',
} satisfies Record<string, Scripted>)) {
  test(`${name} is no registration, and is not tried twice`, async () => {
    const { outcome, asked } = await register(answer);
    assert.equal(outcome.kind, 'not-registered');
    assert.equal(asked.length, 1);
  });
}

test('an issuer without a registration endpoint says so without being asked', async () => {
  const world = realWorld();
  const { registrationEndpoint: _, ...metadata } = wishFor('https://i.test').metadata;
  const outcome = await registerClient(world, { ...wishFor('https://i.test'), metadata });
  assert.ok(outcome.kind === 'not-registered');
  assert.equal(outcome.fault.code, 'issuer-unsupported');
  await world.http.close();
});
