import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GrantContext, GrantOutcome, TokenRequest } from '../../src/acquire/grant.ts';
import { oidcAgentGrant } from '../../src/acquire/oidc-agent.ts';
import { readAgentReply } from '../../src/acquire/oidc-agent-reply.ts';
import { agentSocketPath, loadedAccounts } from '../../src/acquire/oidc-agent-socket.ts';
import type { OidcAgentAccount } from '../../src/config/config.ts';
import type { AccountName, Audience, IssuerUrl, Scope } from '../../src/token/names.ts';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { startOidcAgent } from '../peers/oidc-agent-server.ts';

const whole: TokenRequest = { audience: { audiences: [] }, scope: { kind: 'absent' } };

function contextFor(socket: string, world: World = realWorld()): GrantContext<OidcAgentAccount> {
  const account: OidcAgentAccount = {
    grant: 'oidc_agent',
    name: 'robot' as AccountName,
    at: { file: 'tokeep.yaml', line: 1, column: 1 },
    issuer: { kind: 'discovered', issuer: 'https://issuer.example/' as IssuerUrl },
    audienceStyle: 'auto',
    timeout: seconds(10),
    fingerprint: 'f',
    shortname: 'acct1',
    socket,
  };
  return { world, account, record: undefined, secrets: {}, signal: new AbortController().signal };
}

async function obtain(context: GrantContext<OidcAgentAccount>, request = whole): Promise<GrantOutcome> {
  const raw = await oidcAgentGrant.send(context, request);
  assert.equal(raw.kind, 'raw');
  return oidcAgentGrant.judge(raw as never, context);
}

async function refusedWith(error: string): Promise<GrantOutcome & { kind: 'refused' | 'later' }> {
  await using agent = await startOidcAgent(() => ({ status: 'failure', error }));
  const outcome = await obtain(contextFor(agent.socket));
  assert.notEqual(outcome.kind, 'token');
  return outcome as GrantOutcome & { kind: 'refused' | 'later' };
}

test('a running oidc-agent is asked for a new token, not for the one in its cache', async () => {
  const expiresAt = Math.floor(Date.now() / 1000) + 3600;
  await using agent = await startOidcAgent(() => ({ status: 'success', access_token: 'at-1', expires_at: expiresAt }));
  const outcome = await obtain(contextFor(agent.socket));
  assert.equal(outcome.kind, 'token');
  assert.equal(outcome.kind === 'token' && outcome.token.reveal(), 'at-1');
  const life = outcome.kind === 'token' ? (outcome.expiresIn ?? 0) : 0;
  assert.ok(life > 3_590_000 && life <= 3_600_000, String(life));
  assert.deepEqual(agent.requests, [
    { request: 'access_token', account: 'acct1', min_valid_period: -1, application_hint: 'tokeep' },
  ]);
});

test('scope and audience go along, and the expiry that comes with such a token is not believed', async () => {
  await using agent = await startOidcAgent(() => ({
    status: 'success',
    access_token: 'at',
    expires_at: 4_000_000_000,
  }));
  const outcome = await obtain(contextFor(agent.socket), {
    scope: { kind: 'scopes', scopes: ['storage.read:/' as Scope, 'openid' as Scope] },
    audience: { audiences: ['https://a.example' as Audience, 'https://b.example' as Audience] },
  });
  assert.equal(outcome.kind === 'token' && outcome.expiresIn, undefined);
  assert.equal(agent.requests[0]?.['scope'], 'storage.read:/ openid');
  assert.equal(agent.requests[0]?.['audience'], 'https://a.example https://b.example');
});

test('a blank scope is sent as one blank, and an expiry of 0 means unknown', async () => {
  await using agent = await startOidcAgent(() => ({ status: 'success', access_token: 'at', expires_at: 0 }));
  const blank = await obtain(contextFor(agent.socket), { ...whole, scope: { kind: 'blank' } });
  assert.equal(agent.requests[0]?.['scope'], ' ');
  const plain = await obtain(contextFor(agent.socket));
  assert.deepEqual(
    [blank, plain].map((outcome) => outcome.kind === 'token' && outcome.expiresIn),
    [undefined, undefined],
  );
});

test('what an agent refuses says whose turn it is and what to run', async () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['No account configured with that short name', 'login-needed', 'oidc-add acct1'],
    ['account not loaded', 'login-needed', 'oidc-add acct1'],
    ['user cancelled password prompt', 'login-needed', 'oidc-add acct1'],
    ['No or malformed refresh token', 'login-needed', 'oidc-gen --reauthenticate acct1'],
    ['invalid_grant: refresh token expired', 'login-needed', 'oidc-gen --reauthenticate acct1'],
    ['invalid_client: Bad client credentials', 'client-refused', 'oidc-gen --print acct1'],
    ['invalid_scope: no', 'request-refused', 'scopes'],
  ];
  for (const [error, code, hint] of cases) {
    const outcome = await refusedWith(error);
    assert.equal(outcome.kind, 'refused', error);
    assert.equal(outcome.fault.code, code, error);
    assert.ok(outcome.fault.hint?.includes(hint), `${error}: ${outcome.fault.hint}`);
    assert.ok(outcome.fault.message.includes(error), outcome.fault.message);
    assert.equal(outcome.kind === 'refused' && outcome.credentialDead, false);
  }
});

test('a locked agent and a passing fault are tried again later', async () => {
  const locked = await refusedWith('Agent locked');
  assert.deepEqual([locked.kind, locked.fault.code], ['later', 'login-needed']);
  assert.match(locked.fault.hint ?? '', /oidc-add --unlock/);
  assert.equal((await refusedWith('Received Http Status Code 503')).fault.code, 'issuer-overloaded');
  assert.equal((await refusedWith('Received Http Status Code 500')).fault.code, 'issuer-fault');
});

test('replies of agents that do not escape are read all the same', async () => {
  assert.equal(readAgentReply('{"status":"failure","error":"line one\nline two"}')?.error, 'line one line two');
  assert.equal(
    readAgentReply('{"status":"failure","error":"invalid_grant: token "abc" is gone","info":"help"}')?.error,
    'invalid_grant: token "abc" is gone',
  );
  assert.equal(readAgentReply('garbage'), undefined);
  const began = performance.now();
  assert.equal(readAgentReply(`{${'"error":"'.repeat(100_000)}`), undefined);
  assert.ok(performance.now() - began < 1_000);
  await using agent = await startOidcAgent(() => '{"status":"failure","error":"invalid_grant: the "token" is gone"}');
  const outcome = await obtain(contextFor(agent.socket));
  assert.equal(outcome.kind === 'refused' && outcome.oauthError, 'invalid_grant');
});

test('an agent that is not there is named with its socket and how to start it', async () => {
  const answer = await oidcAgentGrant.send(contextFor('/nowhere/oidc-agent.sock'), whole);
  assert.equal(answer.kind, 'none');
  assert.equal(answer.kind === 'none' && answer.sent, 'no');
  assert.match(
    answer.kind === 'none' ? answer.fault.message : '',
    /\/nowhere\/oidc-agent\.sock: there is no such socket/,
  );
});

test('a socket that others could have put there is not asked', async () => {
  await using agent = await startOidcAgent(() => ({ status: 'success', access_token: 'at' }));
  await chmod(agent.directory, 0o777);
  const open = await oidcAgentGrant.send(contextFor(agent.socket), whole);
  assert.match(open.kind === 'none' ? open.fault.message : '', /others may write to the directory/);

  await chmod(agent.directory, 0o700);
  const real = realWorld();
  const foreignWorld = (strangers: 'socket' | 'directory'): World => ({
    ...real,
    files: {
      ...real.files,
      async facts(path) {
        const facts = await real.files.facts(path);
        return facts === undefined || facts.type !== strangers ? facts : { ...facts, owner: 12345 };
      },
    },
  });
  for (const [strangers, found] of [
    ['socket', /agent\.sock belongs to user 12345/],
    ['directory', /the directory of .* belongs to/],
  ] as const) {
    const answer = await oidcAgentGrant.send(contextFor(agent.socket, foreignWorld(strangers)), whole);
    assert.match(answer.kind === 'none' ? answer.fault.message : '', found);
  }

  const file = join(agent.directory, 'plain');
  await writeFile(file, '');
  const plain = await oidcAgentGrant.send(contextFor(file), whole);
  assert.match(plain.kind === 'none' ? plain.fault.message : '', /is not a socket/);
  assert.equal(agent.requests.length, 0);
});

test('an agent that hangs is given up, and so is one that is asked to stop', async () => {
  const asked = Promise.withResolvers<void>();
  await using agent = await startOidcAgent(() => {
    asked.resolve();
    return undefined;
  });
  const stop = new AbortController();
  const answer = oidcAgentGrant.send({ ...contextFor(agent.socket), signal: stop.signal }, whole);
  await asked.promise;
  stop.abort();
  const end = await answer;
  assert.equal(end.kind === 'none' && end.sent, 'perhaps');
  assert.match(end.kind === 'none' ? end.fault.message : '', /did not answer/);
});

test('the socket is the one configured, then OIDC_SOCK, then the place of oidc-agent-service', () => {
  const real = realWorld();
  const world = (env: World['env']): World => ({ ...real, env, user: { uid: 1000, gid: 1000 } });
  assert.equal(agentSocketPath(world({ OIDC_SOCK: '/b' }), '/a'), '/a');
  assert.equal(agentSocketPath(world({ OIDC_SOCK: '/b' })), '/b');
  assert.equal(agentSocketPath(world({ TMPDIR: '/t' })), '/t/oidc-agent-service-1000/oidc-agent.sock');
  assert.equal(agentSocketPath(world({})), '/tmp/oidc-agent-service-1000/oidc-agent.sock');
});

test('the loaded accounts are told, and an absent agent has none to tell', async () => {
  await using agent = await startOidcAgent(() => ({ status: 'success', info: ['a', 'b'] }));
  assert.deepEqual(await loadedAccounts(realWorld(), agent.socket), ['a', 'b']);
  assert.equal(await loadedAccounts(realWorld(), join(agent.directory, 'none')), undefined);
  await using odd = await startOidcAgent(() => ({ status: 'failure', error: 'Agent locked' }));
  await assert.rejects(loadedAccounts(realWorld(), odd.socket), /answered with "Agent locked"/);
});
