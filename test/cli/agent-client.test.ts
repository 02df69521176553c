import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentRedirects, registerAgentClient } from '../../src/cli/osg-setup/agent-client.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type Scripted, scriptedIssuer } from '../acquire/login-peer.ts';

async function register(...answers: Scripted[]) {
  await using issuer = await scriptedIssuer({ '/register': answers });
  const world = realWorld();
  const registered = await registerAgentClient(world, {
    metadata: {
      issuer: issuer.origin as IssuerUrl,
      tokenEndpoint: `${issuer.origin}/token`,
      registrationEndpoint: `${issuer.origin}/register`,
      raw: {},
    },
    clientName: 'tokeep:robot-host1',
    scope: ['openid'],
    timeout: seconds(5),
    signal: new AbortController().signal,
  });
  await world.http.close();
  return { ...registered, asked: issuer.asked.map(({ form }) => decodeURIComponent(form.toString())) };
}

test('a client is registered with the redirects that oidc-agent itself uses', async () => {
  const { outcome, redirects, asked } = await register({ status: 201, json: { client_id: 'new' } });
  assert.equal(outcome.kind, 'registered');
  assert.deepEqual(redirects, agentRedirects);
  assert.match(asked[0] ?? '', /edu\.kit\.data\.oidc-agent:\/redirect.*localhost:4242.*localhost:8080/);
});

test('an issuer that refuses the scheme of a program is asked once more without it', async () => {
  const no = { status: 400, json: { error: 'invalid_redirect_uri' } };
  const { outcome, redirects, asked } = await register(no, { status: 201, json: { client_id: 'new' } });
  assert.equal(outcome.kind, 'registered');
  assert.deepEqual(redirects, ['http://localhost:4242', 'http://localhost:8080']);
  assert.doesNotMatch(asked[1] ?? '', /edu\.kit/);
});

test('any other refusal, and a cut connection, which may have made a client, are not asked twice', async () => {
  for (const answer of [{ status: 403, json: { error: 'access_denied' } }, 'cut'] as const) {
    const { outcome, asked } = await register(answer);
    assert.equal(outcome.kind, 'not-registered');
    assert.equal(asked.length, 1);
  }
});
