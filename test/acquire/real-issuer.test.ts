import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { clientCredentials } from '../../src/acquire/client-credentials.ts';
import type { Grant, GrantContext, ObtainedToken, RawAnswer, TokenRequest } from '../../src/acquire/grant.ts';
import { checkIssuerOnline } from '../../src/acquire/online-check.ts';
import { refreshToken } from '../../src/acquire/refresh-token.ts';
import { revokeCredential } from '../../src/acquire/revoke.ts';
import { tokenExchange } from '../../src/acquire/token-exchange.ts';
import type { Account } from '../../src/config/config.ts';
import { describeToken } from '../../src/token/token-facts.ts';
import { approve } from '../peers/approve.ts';
import type { KnownClient } from '../peers/issuer-config.ts';
import { person, type RunningIssuer, robot, startIssuer, wlcgAny } from '../peers/start-issuer.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import {
  contextOf,
  exchangeAccount,
  personAccount,
  refreshSecrets,
  robotAccount,
  testWorld,
  wish,
} from './grant-samples.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyed: KnownClient = {
  client_id: 'keyed',
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: ['client_credentials'],
  jwks: { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'ES256' }] },
};
const posting: KnownClient = { ...robot, client_id: 'posting', token_endpoint_auth_method: 'client_secret_post' };

const world = testWorld();
const issuer = await startIssuer({ tls: 'throw-away-ca', state: 'file', clients: [robot, person, keyed, posting] });
const directory = await mkdtemp(join(tmpdir(), 'real-issuer-'));
const caFile = issuer.caFile ?? '';
after(async () => {
  await world.http.close();
  await issuer.stop();
  await rm(directory, { recursive: true, force: true });
});

async function obtain<A extends Account>(grant: Grant<A>, context: GrantContext<A>, request: TokenRequest) {
  const raw = await grant.send(context, request);
  assert.equal(raw.kind, 'raw', inspect(raw));
  const outcome = grant.judge(raw as RawAnswer, context);
  assert.equal(outcome.kind, 'token', inspect(outcome));
  const obtained = outcome as ObtainedToken;
  const { successor } = grant.salvage(raw as RawAnswer, context);
  return { token: obtained.token, facts: describeToken(obtained.token, obtained), successor, obtained };
}

/** A refresh token by the device flow, approved at the issuer's own pages. */
async function logIn(at: RunningIssuer): Promise<string> {
  const post = async (path: string, form: Record<string, string>) => {
    const pair = Buffer.from(`${person.client_id}:${person.client_secret}`).toString('base64');
    const answer = await world.http.send({
      method: 'POST',
      url: new URL(at.issuer + path),
      headers: { authorization: `Basic ${pair}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      timeout: 5_000 as never,
      maxBytes: 65_536,
      connection: 'pooled',
      caFile,
    });
    assert.ok(answer.kind === 'answer' && answer.status === 200, inspect(answer));
    return JSON.parse(answer.body);
  };
  const scope = 'openid offline_access storage.read:/ compute.read';
  const device = await post('/device/auth', { client_id: person.client_id, scope });
  await approve(device.verification_uri_complete, { caFile });
  const grant = 'urn:ietf:params:oauth:grant-type:device_code';
  return (await post('/token', { grant_type: grant, device_code: device.device_code })).refresh_token;
}

test('client_credentials: a token for an audience, with scopes and a life', async () => {
  const context = contextOf(world, robotAccount(issuer.issuer, robot, { caFile }));
  const { facts, obtained } = await obtain(clientCredentials, context, wish('batch.example', 'compute.read'));
  assert.deepEqual([facts.audience, facts.scope, facts.issuer], [['batch.example'], ['compute.read'], issuer.issuer]);
  assert.equal(facts.expiresAt - facts.issuedAt, 3600_000);
  assert.equal(facts.lifeFrom, 'exp');
  assert.deepEqual(obtained.oddities, []);
});

test('an audience that is a URI goes as resource or as audience, whatever the style, and arrives', async () => {
  for (const audienceStyle of ['auto', 'audience', 'resource', 'both'] as const) {
    const context = contextOf(world, robotAccount(issuer.issuer, robot, { caFile, audienceStyle }));
    const { facts } = await obtain(clientCredentials, context, wish('https://storage.example', 'storage.read:/'));
    assert.deepEqual(facts.audience, ['https://storage.example'], audienceStyle);
  }
});

test('an unknown audience is refused, not delivered for another one', async () => {
  const context = contextOf(world, robotAccount(issuer.issuer, robot, { caFile }));
  const raw = await clientCredentials.send(context, wish('nobody.example'));
  assert.ok(raw.kind === 'raw');
  const outcome = clientCredentials.judge(raw, context);
  assert.equal(outcome.kind === 'refused' && outcome.oauthError, 'invalid_target');
});

test('client_secret_post and private_key_jwt (PEM and JWK) are accepted', async () => {
  const pem = join(directory, 'key.pem');
  const jwk = join(directory, 'key.json');
  await writeFile(pem, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(jwk, JSON.stringify(keys.privateKey.export({ format: 'jwk' })), { mode: 0o600 });
  for (const path of [pem, jwk]) {
    const clientAuth = { kind: 'private_key_jwt', key: { kind: 'file', path }, keyId: 'k' } as const;
    await obtain(
      clientCredentials,
      contextOf(world, robotAccount(issuer.issuer, keyed, { caFile, clientAuth })),
      wish(),
    );
  }
  const { clientAuth: basic } = robotAccount(issuer.issuer, posting);
  assert.ok(basic.kind === 'client_secret_basic');
  const clientAuth = { kind: 'client_secret_post', secret: basic.secret } as const;
  await obtain(
    clientCredentials,
    contextOf(world, robotAccount(issuer.issuer, posting, { caFile, clientAuth })),
    wish(),
  );
});

test("a wrong client secret is the operator's to mend", async () => {
  const context = contextOf(world, robotAccount(issuer.issuer, { ...robot, client_secret: 'wrong' }, { caFile }));
  const raw = await clientCredentials.send(context, wish());
  assert.ok(raw.kind === 'raw');
  const outcome = clientCredentials.judge(raw, context);
  assert.ok(outcome.kind === 'refused' && outcome.fault.code === 'client-refused');
});

test('token_exchange narrows a token to one audience and fewer scopes', async () => {
  const robotContext = contextOf(world, robotAccount(issuer.issuer, robot, { caFile }));
  const broad = await obtain(clientCredentials, robotContext, wish('', 'storage.read:/ compute.read'));
  const context = contextOf(world, { ...exchangeAccount(issuer.issuer, robot), caFile });
  const narrow = await obtain(tokenExchange, context, {
    ...wish('batch.example', 'compute.read'),
    subjectToken: broad.token,
  });
  assert.deepEqual([narrow.facts.audience, narrow.facts.scope], [['batch.example'], ['compute.read']]);
});

test('a rotating refresh token outlives its issuer, is narrowed, dies when used twice', async () => {
  const account = personAccount(issuer.issuer, person, { caFile });
  const withToken = (text: string) => contextOf(world, account, { secrets: refreshSecrets(text) });
  const first = await logIn(issuer);
  const one = await obtain(refreshToken, withToken(first), { audience: { audiences: [] }, scope: { kind: 'blank' } });
  assert.deepEqual([one.facts.audience, one.facts.subject], [[wlcgAny], 'alice']);
  const second = one.successor?.reveal() ?? '';
  assert.notEqual(second, first);
  await issuer.kill();
  const gone = await refreshToken.send(withToken(second), wish());
  assert.ok(gone.kind === 'none' && gone.sent === 'no' && gone.fault.code === 'issuer-unreachable');
  await issuer.restart();
  const two = await obtain(refreshToken, withToken(second), wish('batch.example', 'compute.read'));
  assert.deepEqual([two.facts.audience, two.facts.scope], [['batch.example'], ['compute.read']]);
  const again = await refreshToken.send(withToken(second), wish());
  assert.ok(again.kind === 'raw');
  const outcome = refreshToken.judge(again, withToken(second));
  assert.ok(outcome.kind === 'refused' && outcome.credentialDead && outcome.fault.code === 'login-needed');
});

test('scenario 4: without rotation the refresh token stays', async () => {
  await issuer.restart({ rotate: 'never' });
  const context = contextOf(world, personAccount(issuer.issuer, person, { caFile }), {
    secrets: refreshSecrets(await logIn(issuer)),
  });
  const one = await obtain(refreshToken, context, wish());
  assert.ok(one.successor === undefined || context.secrets.credential?.equals(one.successor));
  await obtain(refreshToken, context, wish());
});

test('a revoked refresh token is dead', async () => {
  const context = contextOf(world, personAccount(issuer.issuer, person, { caFile }), {
    record: undefined,
    secrets: refreshSecrets(await logIn(issuer)),
  } as never);
  assert.deepEqual(await revokeCredential(context), { kind: 'revoked' });
  const raw = await refreshToken.send(context, wish());
  assert.ok(raw.kind === 'raw');
  const outcome = refreshToken.judge(raw, context);
  assert.ok(outcome.kind === 'refused' && outcome.credentialDead);
});

test('the online check finds a good account good, without a token being asked for', async () => {
  const account = robotAccount(issuer.issuer, robot, { caFile });
  const report = await checkIssuerOnline(world, account, { scopes: ['storage.read:/', 'made.up'] });
  assert.equal(report.fault, undefined);
  assert.deepEqual(
    report.findings.map(({ severity }) => severity),
    ['ok', 'ok', 'ok', 'warning', 'ok'],
  );
  assert.match(report.findings[3]?.sentence ?? '', /does not list these scopes: made\.up/);
  const endpoint = robotAccount(issuer.issuer, robot, {
    caFile,
    issuer: { kind: 'token-endpoint', url: `${issuer.issuer}/token` },
  });
  const elsewhere = robotAccount(issuer.issuer, robot, {
    caFile,
    issuer: { kind: 'token-endpoint', url: `${issuer.issuer}/not-for-GET` },
  });
  for (const one of [endpoint, elsewhere]) {
    const { findings } = await checkIssuerOnline(world, one);
    assert.ok(
      findings.every(({ severity }) => severity === 'ok'),
      JSON.stringify(findings),
    );
  }
});

test('scenario 28: the online check names a wrong CA, another issuer, an unreadable secret', async () => {
  await using other = await throwAwayCa();
  const codeOf = async (change: Parameters<typeof robotAccount>[2], name = issuer.issuer) =>
    (await checkIssuerOnline(world, robotAccount(name, robot, { caFile, ...change }))).fault?.code;
  assert.equal(await codeOf({ caFile: other.caFile }), 'issuer-tls');
  assert.equal(await codeOf({}, `${issuer.issuer}/`), 'issuer-mismatch');
  const secret = { kind: 'file', path: join(directory, 'missing') } as const;
  assert.equal(await codeOf({ clientAuth: { kind: 'client_secret_post', secret } }), 'secret-unreadable');
});
