import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CodeTerms, codeLogin } from '../../src/acquire/code-login.ts';
import type { Gain, LoginEvent, LoginOutcome } from '../../src/acquire/login-flow.ts';
import { fetchMetadata, type IssuerMetadata } from '../../src/acquire/metadata.ts';
import { registerClient } from '../../src/acquire/registration.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { seconds } from '../../src/token/time.ts';
import type { HttpAnswer } from '../../src/world/http.ts';
import { listenOnLoopback } from '../../src/world/real-loopback-listener.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { approve } from '../peers/approve.ts';
import { startIssuer } from '../peers/start-issuer.ts';
import { scriptedIssuer, termsFor } from './login-peer.ts';

const success = { json: { access_token: 'at-canary', refresh_token: 'rt-canary', token_type: 'bearer' } };

async function visit(url: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  const { http } = realWorld();
  const answer = await http.send({
    method: 'GET',
    url: new URL(url),
    headers,
    timeout: seconds(5),
    maxBytes: 65_536,
    connection: 'fresh',
  });
  await http.close();
  assert.equal(answer.kind, 'answer');
  return answer as HttpAnswer;
}

/** A login whose browser is the test: `browse` gets the page to open, and what it does there. */
async function loginWith(
  browse: (open: URL, redirect: URL) => Promise<void>,
  changes: Partial<CodeTerms> = {},
  script = [success],
) {
  await using issuer = await scriptedIssuer({ '/token': [...script] });
  const world = realWorld();
  const terms = {
    ...termsFor(issuer.origin),
    authorizationEndpoint: `${issuer.origin}/authorize`,
    issInRedirect: false,
    patience: seconds(20),
    ...changes,
  };
  const kept: Gain[] = [];
  let browsing = Promise.resolve();
  const tell = (event: LoginEvent) => {
    if (event.kind !== 'open') return;
    const open = new URL(event.url);
    browsing = browse(open, new URL(open.searchParams.get('redirect_uri')!));
  };
  const outcome = await codeLogin(world, listenOnLoopback, terms, tell, async (gain) => {
    kept.push(gain);
  });
  await browsing;
  await world.http.close();
  return { outcome, kept, asked: issuer.asked };
}

const back = (redirect: URL, parameters: Record<string, string>): string =>
  `${redirect.href}?${new URLSearchParams(parameters)}`;
const stateOf = (open: URL): string => open.searchParams.get('state')!;
const messageOf = (outcome: LoginOutcome): string => (outcome.kind === 'not-logged-in' ? outcome.fault.message : '');

test('a freshly registered client logs in at a real issuer with PKCE and a redirect to this machine', async () => {
  await using issuer = await startIssuer();
  const world = realWorld();
  const found = await fetchMetadata(world, { issuer: issuer.issuer as IssuerUrl, timeout: seconds(5) });
  const { metadata } = found as { metadata: IssuerMetadata };
  const { signal } = new AbortController();
  const scope = ['openid', 'offline_access', 'storage.read:/'];
  const wish = { metadata, clientName: 'tokeep:test-host', scope, timeout: seconds(5), signal };
  const registered = await registerClient(world, wish);
  assert.equal(registered.kind, 'registered');
  const { client } = registered as Extract<typeof registered, { kind: 'registered' }>;
  assert.ok(client.clientSecret !== undefined && client.registrationToken !== undefined);
  assert.equal(client.authMethod, 'client_secret_basic');
  const kept: Gain[] = [];
  let ended: Promise<HttpAnswer> | undefined;
  const outcome = await codeLogin(
    world,
    listenOnLoopback,
    {
      ...termsFor(issuer.issuer, { scope }),
      clientId: client.clientId,
      auth: { kind: 'client_secret_basic', secret: client.clientSecret, encoding: 'form' },
      tokenEndpoint: metadata.tokenEndpoint,
      authorizationEndpoint: metadata.authorizationEndpoint!,
      issInRedirect: metadata.authorizationResponseIss === true,
      patience: seconds(30),
    },
    (event) => {
      if (event.kind === 'open') ended = approve(event.url).then((callback) => visit(callback));
    },
    async (gain) => {
      kept.push(gain);
    },
  );
  assert.equal(messageOf(outcome), '');
  assert.equal(outcome.kind, 'logged-in');
  assert.equal(kept.length, 1);
  assert.ok(metadata.authorizationResponseIss);
  assert.equal((await ended)?.status, 200);
  await world.http.close();
});

test('the redirect with our state ends the login, with the verifier that belongs to the challenge', async () => {
  let challenge = '';
  const { outcome, kept, asked } = await loginWith(async (open, redirect) => {
    challenge = open.searchParams.get('code_challenge')!;
    assert.equal(open.searchParams.get('code_challenge_method'), 'S256');
    assert.equal(open.searchParams.get('prompt'), 'consent');
    assert.equal(redirect.hostname, '127.0.0.1');
    const page = await visit(back(redirect, { code: 'code-canary', state: stateOf(open) }));
    assert.equal(page.status, 200);
  });
  assert.equal(outcome.kind, 'logged-in');
  assert.equal(kept[0]?.credential.reveal(), 'rt-canary');
  const { createHash } = await import('node:crypto');
  const verifier = asked[0]!.form.get('code_verifier')!;
  assert.equal(createHash('sha256').update(verifier).digest('base64url'), challenge);
});

test('pages without our state, at another path, or under another name are turned away, and the login goes on', async () => {
  const { outcome, asked } = await loginWith(async (open, redirect) => {
    const good = back(redirect, { code: 'good', state: stateOf(open) });
    assert.equal((await visit(back(redirect, { code: 'stolen', state: 'guess' }))).status, 404);
    assert.equal((await visit(`${redirect.origin}/favicon.ico`)).status, 404);
    assert.equal((await visit(good, { host: 'evil.test' })).status, 404);
    assert.equal((await visit(good)).status, 200);
  });
  assert.equal(outcome.kind, 'logged-in');
  assert.equal(asked[0]?.form.get('code'), 'good');
});

test('a code counts once: a second redirect finds the login over', async () => {
  const { asked } = await loginWith(async (open, redirect) => {
    const url = back(redirect, { code: 'first', state: stateOf(open) });
    const answers = await Promise.allSettled([visit(url), visit(url)]);
    const good = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 200);
    assert.equal(good.length, 1);
  });
  assert.equal(asked.length, 1);
});

for (const iss of ['https://evil.test', undefined]) {
  test(`a redirect that names ${iss ?? 'no issuer'} where the issuer names itself is not used`, async () => {
    const { outcome, asked } = await loginWith(
      async (open, redirect) => {
        const parameters = { code: 'c', state: stateOf(open), ...(iss === undefined ? {} : { iss }) };
        assert.equal((await visit(back(redirect, parameters))).status, 400);
      },
      { issInRedirect: true },
    );
    assert.equal(outcome.kind === 'not-logged-in' && outcome.fault.code, 'issuer-mismatch');
    assert.equal(asked.length, 0);
  });
}

test('a declined login is told as one, and its words cannot become markup', async () => {
  const words = '<script>alert(1)</script>';
  let html = '';
  const { outcome } = await loginWith(async (open, redirect) => {
    const parameters = { error: 'access_denied', error_description: words, state: stateOf(open) };
    html = (await visit(back(redirect, parameters))).body;
  });
  assert.equal(outcome.kind === 'not-logged-in' && outcome.fault.code, 'login-declined');
  assert.doesNotMatch(html, /<script/);
  assert.match(html, /&lt;script&gt;/);
});

test('nobody coming back ends the login in time, and the port is closed', async () => {
  let origin = '';
  const patience = { patience: seconds(0.2) };
  const { outcome } = await loginWith(async (_, redirect) => {
    origin = redirect.origin;
  }, patience);
  assert.match(messageOf(outcome), /nobody came back/);
  await assert.rejects(fetch(origin), TypeError);
});
