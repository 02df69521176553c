import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { GrantContext, GrantOutcome, RawAnswer, TokenRequest } from '../../src/acquire/grant.ts';
import { mytokenGrant } from '../../src/acquire/mytoken.ts';
import type { MytokenAccount } from '../../src/config/config.ts';
import type { AccountName, Audience, IssuerUrl, Scope } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type MytokenServer, type MytokenTerms, startMytokenServer } from '../peers/mytoken-server.ts';

const issuer = 'https://issuer.example/' as IssuerUrl;
const whole: TokenRequest = { audience: { audiences: [] }, scope: { kind: 'absent' } };
const narrow: TokenRequest = {
  audience: { audiences: ['https://se.example' as Audience] },
  scope: { kind: 'scopes', scopes: ['storage.read:/' as Scope] },
};

function contextFor(server: string, mytoken: string, path = '/nowhere'): GrantContext<MytokenAccount> {
  const account: MytokenAccount = {
    grant: 'mytoken',
    name: 'robot' as AccountName,
    at: { file: 'tokeep.yaml', line: 1, column: 1 },
    issuer: { kind: 'discovered', issuer },
    audienceStyle: 'auto',
    timeout: seconds(5),
    fingerprint: 'f',
    server,
    mytoken: { kind: 'file', path },
  };
  const secrets = mytoken === '' ? {} : { credential: new Secret('mytoken', mytoken) };
  return { world: realWorld(), account, record: undefined, secrets, signal: new AbortController().signal };
}

async function ask(context: GrantContext<MytokenAccount>, request = whole) {
  const raw = await mytokenGrant.send(context, request);
  assert.equal(raw.kind, 'raw', inspect(raw));
  const answer = raw as RawAnswer;
  return { salvage: mytokenGrant.salvage(answer, context), outcome: mytokenGrant.judge(answer, context) };
}

async function refusalOf(terms: MytokenTerms, request = whole, prepare: (server: MytokenServer) => void = () => {}) {
  await using server = await startMytokenServer();
  prepare(server);
  const { salvage, outcome } = await ask(contextFor(server.issuer, server.mint(terms)), request);
  assert.notEqual(outcome.kind, 'token');
  return { salvage, outcome: outcome as Exclude<GrantOutcome, { kind: 'token' }> };
}

test('a mytoken gives an access token of the wished issuer, scope and audience', async () => {
  await using server = await startMytokenServer();
  const mytoken = server.mint({ restrictions: [{ scope: 'storage.read:/', audience: ['https://se.example'] }] });
  const { outcome, salvage } = await ask(contextFor(server.issuer, mytoken), narrow);
  assert.equal(outcome.kind, 'token', inspect(outcome));
  if (outcome.kind !== 'token') return;
  assert.equal(outcome.expiresIn, seconds(3600));
  assert.deepEqual(outcome.scope, ['storage.read:/']);
  assert.deepEqual(outcome.oddities, []);
  assert.equal(salvage.successor, undefined);
  assert.deepEqual(server.posts, [
    { grant_type: 'mytoken', mytoken, oidc_issuer: issuer, scope: 'storage.read:/', audience: 'https://se.example' },
  ]);
});

test('a rotated mytoken is salvaged as the successor with its life, and the old one is dead at once', async () => {
  await using server = await startMytokenServer();
  const first = server.mint({ rotation: { on_AT: true, lifetime: 86_400 } });
  const context = contextFor(server.issuer, first);
  const { salvage, outcome } = await ask(context);
  assert.equal(outcome.kind, 'token');
  assert.equal(salvage.successor?.kind, 'mytoken');
  assert.equal(salvage.successor?.reveal(), server.current(first));
  assert.equal(salvage.credentialExpiresIn, seconds(86_400));

  const again = await ask(context);
  assert.equal(again.outcome.kind === 'refused' && again.outcome.credentialDead, true);
  assert.equal((await ask(contextFor(server.issuer, server.current(first)))).outcome.kind, 'token');
});

test('scenario 5: an answer that is an error still brings the successor', async () => {
  const terms: MytokenTerms = { rotation: { on_AT: true }, restrictions: [{ scope: 'compute.read' }] };
  const { salvage, outcome } = await refusalOf(terms, narrow);
  assert.equal(salvage.successor?.kind, 'mytoken');
  assert.equal(salvage.credentialExpiresIn, undefined);
  assert.equal(outcome.kind === 'refused' && outcome.credentialDead, false);
  assert.equal(outcome.fault.code, 'request-refused');
});

test('a short mytoken rotates into a short one', async () => {
  await using server = await startMytokenServer();
  const first = server.mint({ rotation: { on_AT: true }, short: true });
  const { salvage } = await ask(contextFor(server.issuer, first));
  assert.equal(salvage.successor?.reveal(), server.current(first));
});

test('a mytoken that the server does not know or no longer takes is dead', async () => {
  await using server = await startMytokenServer();
  const unknown = await ask(contextFor(server.issuer, 'x'.repeat(40)));
  assert.equal(unknown.outcome.kind === 'refused' && unknown.outcome.credentialDead, true);
  assert.equal(unknown.outcome.kind === 'refused' && unknown.outcome.fault.code, 'login-needed');
  assert.match(unknown.outcome.kind === 'refused' ? (unknown.outcome.fault.hint ?? '') : '', /make a new mytoken/);
});

test('what the mytoken does not allow is refused without declaring it dead', async () => {
  for (const terms of [{ restrictions: [{ usages_AT: 0 }] }, { capabilities: ['tokeninfo'] }]) {
    const { outcome } = await refusalOf(terms);
    assert.equal(outcome.kind, 'refused');
    assert.equal(outcome.fault.code, 'request-refused');
    assert.equal(outcome.kind === 'refused' && outcome.credentialDead, false);
  }
});

test('an error of the issuer behind the server is read out of its words', async () => {
  const behind = (status: number, error: string) =>
    refusalOf({}, whole, (server) => {
      server.provider = { status, error, description: 'says the issuer' };
    });
  const dead = await behind(400, 'invalid_grant');
  assert.equal(dead.outcome.kind === 'refused' && dead.outcome.credentialDead, true);
  assert.equal((await behind(400, 'invalid_scope')).outcome.fault.code, 'request-refused');
  assert.deepEqual(
    [(await behind(555, 'server_error')).outcome, (await behind(401, 'invalid_client')).outcome].map((outcome) => [
      outcome.kind,
      outcome.fault.code,
    ]),
    [
      ['later', 'issuer-fault'],
      ['later', 'issuer-fault'],
    ],
  );
});

test('scenario 23: a 429 in plain text is a request to come back later, at the time it names', async () => {
  const { outcome } = await refusalOf({}, whole, (server) => {
    server.limiter = { status: 429, body: 'Too Many Requests', headers: { 'retry-after': '30' } };
  });
  assert.equal(outcome.kind, 'later');
  assert.equal(outcome.fault.code, 'issuer-overloaded');
  assert.ok(outcome.kind === 'later' && outcome.retryAfter !== undefined && outcome.retryAfter > Date.now() + 20_000);
});

test('a server that names itself differently gets no mytoken', async () => {
  await using server = await startMytokenServer();
  server.misnamed = `${server.issuer}/`;
  const answer = await mytokenGrant.send(contextFor(server.issuer, server.mint()), whole);
  assert.equal(answer.kind === 'none' && answer.fault.code, 'issuer-mismatch');
  assert.equal(answer.kind === 'none' && answer.sent, 'no');
  assert.equal(server.posts.length, 0);
});

test('the metadata is asked for once, not before each token', async () => {
  await using server = await startMytokenServer();
  const context = contextFor(server.issuer, server.mint());
  await ask(context);
  await ask(context);
  assert.equal(server.discoveries(), 1);
});

test('the first mytoken comes from where the account says, and a missing one is said before anything is sent', async () => {
  await using server = await startMytokenServer();
  const directory = await mkdtemp(join(tmpdir(), 'tokeep-mt-'));
  const path = join(directory, 'mytoken');
  const mytoken = server.mint();
  await writeFile(path, `${mytoken}\n`, { mode: 0o600 });
  const context = contextFor(server.issuer, '', path);
  assert.equal((await mytokenGrant.firstCredential?.(context))?.reveal(), mytoken);
  assert.equal((await ask(context)).outcome.kind, 'token');
  await rm(directory, { recursive: true });
  const answer = await mytokenGrant.send(context, whole);
  assert.equal(answer.kind === 'none' && answer.sent, 'no');
});

test('scenario 44: what a server says never brings the mytoken into a sentence', async () => {
  await using server = await startMytokenServer();
  const mytoken = server.mint();
  server.provider = { status: 400, error: 'invalid_scope', description: `you sent ${mytoken}` };
  const { outcome } = await ask(contextFor(server.issuer, mytoken));
  assert.ok(!inspect(outcome, { depth: 9 }).includes(mytoken));
});

test('whatever is answered is salvaged and judged without a throw', () => {
  const context = contextFor('https://server.example', 'mt-canary');
  const status = fc.constantFrom(200, 204, 301, 400, 401, 403, 404, 429, 500, 503, 555);
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom(
      '{"token_update":7}',
      '{"token_update":{"mytoken":7}}',
      '{"token_update":null,"error":{}}',
      '{"error":"oidc_error"}',
      '{"error":"constructor"}',
    ),
  );
  fc.assert(
    fc.property(status, body, (code, text) => {
      const now = epoch(1_700_000_000_000);
      const raw: RawAnswer = { kind: 'raw', status: code, headers: {}, body: text, sentAt: now, receivedAt: now };
      const { successor } = mytokenGrant.salvage(raw, context);
      assert.ok(successor === undefined || successor.reveal() !== '');
      assert.ok(['token', 'refused', 'later'].includes(mytokenGrant.judge(raw, context).kind));
    }),
  );
});
