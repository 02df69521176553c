import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { GrantContext, GrantOutcome, RawAnswer, TokenRequest } from '../../src/acquire/grant.ts';
import { vaultGrant } from '../../src/acquire/vault.ts';
import type { VaultAccount } from '../../src/config/config.ts';
import type { AccountName, Audience, IssuerUrl, Scope } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch, minutes, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { startVaultServer, type VaultServer, type VaultToken } from '../peers/vault-server.ts';

const path = 'secret/oauth/creds/demo/alice/cron/host.example.org:prod';
const week = 604_800;
const whole: TokenRequest = { audience: { audiences: [] }, scope: { kind: 'absent' } };
const good: VaultToken = { ttl: week, creationTtl: week, renewable: false, paths: ['secret/oauth/'] };

function contextFor(server: string, secretPath = path): GrantContext<VaultAccount> {
  const account: VaultAccount = {
    grant: 'vault',
    name: 'robot' as AccountName,
    at: { file: 'tokeep.yaml', line: 1, column: 1 },
    issuer: { kind: 'discovered', issuer: 'https://issuer.example/' as IssuerUrl },
    audienceStyle: 'auto',
    timeout: seconds(5),
    fingerprint: 'f',
    server,
    secretPath,
    vaultToken: { kind: 'file', path: '/nowhere' },
  };
  const secrets = { credential: new Secret('vault_token', 'hvs.canary') };
  return { world: realWorld(), account, record: undefined, secrets, signal: new AbortController().signal };
}

async function ask(context: GrantContext<VaultAccount>, request = whole) {
  const raw = await vaultGrant.send(context, request);
  assert.equal(raw.kind, 'raw', inspect(raw));
  const answer = raw as RawAnswer;
  return { salvage: vaultGrant.salvage(answer, context), outcome: vaultGrant.judge(answer, context) };
}

async function refusalOf(prepare: (server: VaultServer) => void, secretPath = path) {
  await using server = await startVaultServer();
  server.tokens.set('hvs.canary', { ...good });
  server.store(path);
  prepare(server);
  const { outcome } = await ask(contextFor(server.url, secretPath));
  assert.notEqual(outcome.kind, 'token');
  return outcome as Exclude<GrantOutcome, { kind: 'token' }>;
}

test('a secret path gives its access token, with slashes and colon sent as they are', async () => {
  await using server = await startVaultServer();
  server.tokens.set('hvs.canary', { ...good });
  server.store(path);
  const { outcome, salvage } = await ask(contextFor(server.url));
  assert.equal(outcome.kind === 'token' && outcome.token.reveal(), 'at-1', inspect(outcome));
  const life = outcome.kind === 'token' ? (outcome.expiresIn ?? 0) : 0;
  assert.ok(life > seconds(10_790) && life <= seconds(10_801), String(life));
  assert.deepEqual(outcome.kind === 'token' && outcome.oddities, []);
  assert.deepEqual(salvage, { successor: undefined, credentialExpiresIn: seconds(week) });
  assert.deepEqual(server.requests, ['GET /v1/auth/token/lookup-self', `GET /v1/${path}?minimum_seconds=60`]);
});

test('a narrowed token comes from the sts path', async () => {
  await using server = await startVaultServer();
  server.tokens.set('hvs.canary', { ...good });
  server.store(path);
  const { outcome } = await ask(contextFor(server.url), {
    scope: { kind: 'scopes', scopes: ['storage.read:/', 'compute.read'] as unknown as Scope[] },
    audience: { audiences: ['https://se.example' as Audience] },
  });
  assert.equal(outcome.kind === 'token' && outcome.token.reveal(), 'at-1-for-storage.read:/,compute.read');
  assert.equal(
    server.requests[1],
    'GET /v1/secret/oauth/sts/demo/alice/cron/host.example.org:prod?minimum_seconds=60&scopes=storage.read%3A%2F%2Ccompute.read&audiences=https%3A%2F%2Fse.example',
  );
  const odd = await vaultGrant.send(contextFor(server.url, 'kv/other'), {
    ...whole,
    scope: { kind: 'scopes', scopes: ['a' as Scope] },
  });
  assert.match(odd.kind === 'none' ? odd.fault.message : '', /cannot narrow/);
});

test('more life than the cached token has makes the vault fetch a new one', async () => {
  await using server = await startVaultServer();
  server.tokens.set('hvs.canary', { ...good });
  server.store(path, 3600);
  const context = contextFor(server.url);
  const tokenAfter = async (request: TokenRequest) => {
    const { outcome } = await ask(context, request);
    return outcome.kind === 'token' ? outcome.token.reveal() : inspect(outcome);
  };
  assert.equal(await tokenAfter(whole), 'at-1');
  assert.equal(await tokenAfter(whole), 'at-1', 'the vault answers from its cache');
  server.store(path, 3600);
  assert.equal(await tokenAfter({ ...whole, atLeast: minutes(50) }), 'at-1');
  assert.equal(
    await tokenAfter({ ...whole, atLeast: minutes(61) }),
    'at-2',
    'longer than the issuer gives: the newest there is',
  );
  assert.ok(server.requests.at(-2)?.endsWith('minimum_seconds=3660'));
});

test('a vault token with a period is renewed when less than half of it is left, and so lives for ever', async () => {
  await using server = await startVaultServer();
  const token: VaultToken = { ...good, ttl: week / 2 + 60, period: week, creationTtl: week, renewable: true };
  server.tokens.set('hvs.canary', token);
  server.store(path);
  const context = contextFor(server.url);
  assert.equal((await ask(context)).salvage.credentialExpiresIn, seconds(week / 2 + 60));
  assert.ok(!server.requests.some((request) => request.includes('renew-self')));
  token.ttl = week / 2 - 60;
  const { salvage, outcome } = await ask(context);
  assert.equal(outcome.kind, 'token');
  assert.equal(salvage.credentialExpiresIn, seconds(week));
  assert.equal(salvage.successor, undefined);
  assert.ok(server.requests.includes('POST /v1/auth/token/renew-self'));
});

test('a vault token that cannot be renewed runs down, and one without an end has none to tell', async () => {
  await using server = await startVaultServer();
  const token: VaultToken = { ...good, ttl: 3600 };
  server.tokens.set('hvs.canary', token);
  server.store(path);
  assert.equal((await ask(contextFor(server.url))).salvage.credentialExpiresIn, seconds(3600));
  token.ttl = 0;
  assert.equal((await ask(contextFor(server.url))).salvage.credentialExpiresIn, undefined);
  server.noLookups = true;
  const { outcome, salvage } = await ask(contextFor(server.url));
  assert.equal(outcome.kind, 'token', 'a policy without look-ups does not stop us');
  assert.equal(salvage.credentialExpiresIn, undefined);
});

test('a refused vault token is dead; one that is good but may not read the path is not', async () => {
  const dead = await refusalOf((server) => server.tokens.clear());
  assert.equal(dead.kind === 'refused' && dead.credentialDead, true);
  assert.equal(dead.fault.code, 'login-needed');
  const strange = await refusalOf((server) => server.tokens.set('hvs.canary', { ...good, paths: ['other/'] }));
  assert.equal(strange.kind === 'refused' && strange.credentialDead, false);
  assert.equal(strange.fault.code, 'request-refused');
  assert.match(strange.fault.hint ?? '', /policies do not allow/);
});

test('a path with nothing in it says who has to log in, and how', async () => {
  const outcome = await refusalOf(() => {}, 'secret/oauth/creds/demo/bob:prod');
  assert.equal(outcome.fault.code, 'request-refused');
  assert.match(outcome.fault.hint ?? '', /htgettoken -a 127\.0\.0\.1 -i demo -r prod --credkey bob$/);
});

test('what refreshing in the vault says is told apart', async () => {
  const withFault = (fault: string) =>
    refusalOf((server) => {
      server.refreshFault = fault;
    });
  const dead = await withFault('refresh failed: oauth2: "invalid_grant" "expired"');
  assert.equal(dead.fault.code, 'login-needed');
  assert.match(dead.fault.hint ?? '', /htgettoken .*--credkey alice\/cron\/host\.example\.org$/);
  assert.equal(dead.kind === 'refused' && dead.credentialDead, false, 'the vault token is not to blame');
  assert.deepEqual((await withFault('refresh failed: connection reset')).kind, 'later');
  assert.equal((await withFault('server "x" has configuration problems: y')).fault.code, 'request-refused');
});

test('scenario 23: a sealed or overrun vault is asked again later', async () => {
  const sealed = await refusalOf((server) => {
    server.down = { status: 503, body: '{"errors":["Vault is sealed"]}' };
  });
  assert.deepEqual([sealed.kind, sealed.fault.code], ['later', 'issuer-overloaded']);
  assert.match(sealed.fault.message, /sealed/);
  const overrun = await refusalOf((server) => {
    server.down = { status: 429, body: '{"errors":["quota"]}', headers: { 'retry-after': '30' } };
  });
  assert.ok(overrun.kind === 'later' && overrun.retryAfter !== undefined);
});

test('scenario 27: a page instead of an answer is tried again', async () => {
  const outcome = await refusalOf((server) => {
    server.down = { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } };
  });
  assert.deepEqual([outcome.kind, outcome.fault.code], ['later', 'issuer-nonsense']);
});

test('a vault that is not there is asked once, not for each step', async () => {
  const server = await startVaultServer();
  const context = contextFor(server.url);
  await server[Symbol.asyncDispose]();
  const answer = await vaultGrant.send(context, whole);
  assert.equal(answer.kind === 'none' && answer.fault.code, 'issuer-unreachable');
});

test('the warnings of a vault are passed on, without the vault token in them', async () => {
  await using server = await startVaultServer();
  server.tokens.set('hvs.canary', { ...good });
  server.store(path);
  server.warnings = ['2 attempt(s) to refresh hvs.canary failed'];
  const { outcome } = await ask(contextFor(server.url));
  const oddities = outcome.kind === 'token' ? outcome.oddities.join() : '';
  assert.match(oddities, /the vault warns: 2 attempt\(s\)/);
  assert.ok(!oddities.includes('hvs.canary'));
});

test('whatever is answered is salvaged and judged without a throw', () => {
  const context = contextFor('https://server.example');
  const status = fc.constantFrom(200, 204, 301, 400, 401, 403, 404, 429, 500, 503, 555);
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom('{"data":7}', '{"data":{"expire_time":{}}}', '{"errors":[{}]}', '{"errors":7,"warnings":7}'),
  );
  fc.assert(
    fc.property(status, body, (code, text) => {
      const now = epoch(1_700_000_000_000);
      const raw: RawAnswer = { kind: 'raw', status: code, headers: {}, body: text, sentAt: now, receivedAt: now };
      const { successor } = vaultGrant.salvage(raw, context);
      assert.ok(successor === undefined || successor.reveal() !== '');
      assert.ok(['token', 'refused', 'later'].includes(vaultGrant.judge(raw, context).kind));
    }),
  );
});
