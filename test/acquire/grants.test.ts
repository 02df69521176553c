import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { clientCredentials } from '../../src/acquire/client-credentials.ts';
import type { NoAnswer, RawAnswer } from '../../src/acquire/grant.ts';
import { refreshToken } from '../../src/acquire/refresh-token.ts';
import { tokenExchange } from '../../src/acquire/token-exchange.ts';
import type { SecretRef } from '../../src/config/config.ts';
import { Secret } from '../../src/token/secret.ts';
import { hours, millis } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import {
  dropInBody,
  hostileIssuer,
  html200,
  json,
  resetBeforeAnswer,
  slowDrip,
  token,
} from '../peers/hostile-issuer.ts';
import {
  accountRecord,
  basicAuth,
  contextOf,
  exchangeAccount,
  personAccount,
  refreshSecrets,
  robotAccount,
  testWorld,
  wish,
} from './grant-samples.ts';

const world = testWorld();
after(() => world.http.close());

const robot = { client_id: 'robot.1-a_b', client_secret: 'plain-secret' };
const jwtFor = (audience: unknown): string => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'ES256' })}.${part({ aud: audience })}.c2ln`;
};

function raw(answer: RawAnswer | NoAnswer): RawAnswer {
  assert.equal(answer.kind, 'raw', inspect(answer));
  return answer as RawAnswer;
}

test('client_credentials asks with basic authentication, scopes joined by a blank and one audience parameter', async () => {
  await using issuer = await hostileIssuer();
  issuer.script(token());
  const context = contextOf(world, robotAccount(issuer.issuer, robot));
  const answer = raw(await clientCredentials.send(context, wish('batch.example other', 'storage.read:/ compute.read')));
  assert.equal(clientCredentials.judge(answer, context).kind, 'token');
  const [seen] = issuer.requests;
  assert.equal(seen?.headers.authorization, `Basic ${Buffer.from('robot.1-a_b:plain-secret').toString('base64')}`);
  assert.deepEqual(Object.fromEntries(seen?.form ?? []), {
    grant_type: 'client_credentials',
    scope: 'storage.read:/ compute.read',
    audience: 'batch.example other',
  });
});

test("the raw audience of OSG's ini goes out as one field, and a blank scope as one blank", async () => {
  await using issuer = await hostileIssuer();
  issuer.script(token());
  const account = robotAccount(issuer.issuer, robot, { issuer: { kind: 'token-endpoint', url: issuer.tokenUrl } });
  const request = { audience: { audiences: [], raw: 'https://a.example  b' }, scope: { kind: 'blank' } } as const;
  raw(await clientCredentials.send(contextOf(world, account), request));
  assert.deepEqual([...(issuer.requests[0]?.form ?? [])].slice(1), [
    ['scope', ' '],
    ['audience', 'https://a.example  b'],
  ]);
  assert.equal(issuer.lookUps.length, 0);
});

test('a blank scope that is refused is left out, which is remembered', async () => {
  await using issuer = await hostileIssuer();
  issuer.script(json(400, { error: 'invalid_scope' }), token(), token());
  const account = personAccount(issuer.issuer, robot);
  const context = contextOf(world, account, { secrets: refreshSecrets('rt') });
  const request = { audience: { audiences: [] }, scope: { kind: 'blank' } } as const;
  const answer = raw(await refreshToken.send(context, request));
  assert.deepEqual([answer.status, answer.learnt], [200, { 'blank-scope': 'absent' }]);
  raw(await refreshToken.send(context, request));
  assert.deepEqual(
    issuer.requests.map((seen) => seen.form.get('scope')),
    [' ', null, null],
  );
});

test('an audience that is refused in one style is asked for in the other, once, and what worked is learnt', async () => {
  await using issuer = await hostileIssuer();
  issuer.script(json(400, { error: 'invalid_target' }), token(), token());
  const context = contextOf(world, robotAccount(issuer.issuer, robot));
  const request = wish('https://storage.example', 'data');
  const answer = raw(await clientCredentials.send(context, request));
  assert.deepEqual(answer.learnt, { audience: 'audience' });
  raw(await clientCredentials.send(context, request));
  assert.deepEqual(
    issuer.requests.map((seen) => [seen.form.get('resource'), seen.form.get('audience')]),
    [
      ['https://storage.example', null],
      [null, 'https://storage.example'],
      [null, 'https://storage.example'],
    ],
  );
  const learnt = accountRecord({ learnt: { audience: 'resource' } });
  issuer.script(token());
  raw(await clientCredentials.send(contextOf(world, robotAccount(issuer.issuer, robot), { record: learnt }), request));
  assert.equal(issuer.requests.at(-1)?.form.get('resource'), 'https://storage.example');
});

test('an issuer that passes over the audience parameter is asked in the other style', async () => {
  await using issuer = await hostileIssuer();
  const storage = 'https://storage.example';
  issuer.script(token({ access_token: jwtFor('default') }), token({ access_token: jwtFor([storage]) }));
  const context = contextOf(world, robotAccount(issuer.issuer, robot));
  const answer = raw(await clientCredentials.send(context, wish(storage, 'storage.read:/')));
  assert.deepEqual(answer.learnt, { audience: 'resource' });
});

test('when neither style helps, the first answer counts and nothing is learnt', async () => {
  await using issuer = await hostileIssuer();
  issuer.always(json(400, { error: 'invalid_target', error_description: 'never heard of it' }));
  const context = contextOf(world, robotAccount(issuer.issuer, robot));
  const answer = raw(await clientCredentials.send(context, wish('https://storage.example')));
  assert.equal(answer.learnt, undefined);
  issuer.assertRequests(2);
  const outcome = clientCredentials.judge(answer, context);
  assert.equal(outcome.kind === 'refused' && outcome.fault.code, 'request-refused');
});

test('an audience that neither style brought costs one request per try, until tomorrow; other audiences cost two', async () => {
  await using issuer = await hostileIssuer();
  issuer.always(json(400, { error: 'invalid_target' }));
  const clock = new TestClock();
  const context = contextOf(testWorld({ clock }), robotAccount(issuer.issuer, robot));
  const cost = async (audience: string) => {
    const before = issuer.requests.length;
    await clientCredentials.send(context, wish(audience));
    return issuer.requests.length - before;
  };
  assert.deepEqual([await cost('https://a.example'), await cost('https://a.example')], [2, 1]);
  assert.deepEqual([await cost('https://b.example'), await cost('https://a.example')], [2, 1]);
  clock.advance(hours(25));
  assert.equal(await cost('https://a.example'), 2);
});

test('scenario 7: a request that spends a refresh token is sent once, over a connection of its own; another style waits for the next attempt', async () => {
  await using issuer = await hostileIssuer();
  const request = wish('https://storage.example', 'data');
  issuer.script(json(400, { error: 'invalid_target' }), token({ refresh_token: 'rt-2' }));
  const context = contextOf(world, personAccount(issuer.issuer, robot), { secrets: refreshSecrets('rt-1') });
  const first = raw(await refreshToken.send(context, request));
  assert.deepEqual([first.status, first.learnt], [400, { audience: 'audience' }]);
  issuer.assertRequests(1);
  const second = raw(await refreshToken.send(context, request));
  assert.equal(refreshToken.salvage(second, context).successor?.reveal(), 'rt-2');
  assert.equal(issuer.requests[1]?.form.get('audience'), 'https://storage.example');
  assert.deepEqual(
    issuer.requests.map((seen) => [seen.form.get('refresh_token'), seen.headers.connection]),
    [
      ['rt-1', 'close'],
      ['rt-1', 'close'],
    ],
  );
});

test('scenario 7: cut off, dripping or refused, a refresh token goes out once per call', async () => {
  for (const step of [resetBeforeAnswer, dropInBody, slowDrip, html200, json(500, ''), json(429, '')]) {
    await using issuer = await hostileIssuer();
    issuer.always(step);
    const account = personAccount(issuer.issuer, robot, { timeout: millis(300) });
    const answer = await refreshToken.send(contextOf(world, account, { secrets: refreshSecrets('rt') }), wish());
    if (answer.kind === 'none') assert.equal(answer.sent, 'perhaps');
    issuer.assertRequests(1);
  }
});

test('scenario 5: a successor beside an error is not asked again for, and is salvaged', async () => {
  await using issuer = await hostileIssuer();
  issuer.script(json(400, { error: 'invalid_scope', refresh_token: 'next' }));
  const context = contextOf(world, personAccount(issuer.issuer, robot), { secrets: refreshSecrets('rt') });
  const answer = raw(await refreshToken.send(context, { audience: { audiences: [] }, scope: { kind: 'blank' } }));
  issuer.assertRequests(1);
  assert.equal(refreshToken.salvage(answer, context).successor?.reveal(), 'next');
});

test('a client with special characters is encoded, tried raw once when refused, and then known', async () => {
  await using issuer = await hostileIssuer();
  const special = { client_id: 'me@host', client_secret: 'a:b%c' };
  issuer.script(json(401, { error: 'invalid_client' }), token(), token());
  const context = contextOf(world, robotAccount(issuer.issuer, special));
  const answer = raw(await clientCredentials.send(context, wish()));
  assert.deepEqual(answer.learnt, { 'client-auth': 'raw' });
  raw(await clientCredentials.send(context, wish()));
  const pairs = issuer.requests.map((seen) =>
    Buffer.from(seen.headers.authorization?.slice(6) ?? '', 'base64').toString(),
  );
  assert.deepEqual(pairs, ['me%40host:a%3Ab%25c', 'me@host:a:b%c', 'me@host:a:b%c']);
});

test('a client without special characters is not tried twice', async () => {
  await using issuer = await hostileIssuer();
  issuer.always(json(401, { error: 'invalid_client' }));
  const context = contextOf(world, robotAccount(issuer.issuer, robot));
  const answer = raw(await clientCredentials.send(context, wish()));
  issuer.assertRequests(1);
  const outcome = clientCredentials.judge(answer, context);
  assert.equal(outcome.kind === 'refused' && outcome.fault.code, 'client-refused');
});

test('client_secret_post and a public client put themselves into the form', async () => {
  await using issuer = await hostileIssuer();
  issuer.always(token());
  const secret: SecretRef = { kind: 'inline', secret: new Secret('client_secret', 's') };
  for (const clientAuth of [{ kind: 'client_secret_post', secret }, { kind: 'none' }] as const) {
    raw(await clientCredentials.send(contextOf(world, robotAccount(issuer.issuer, robot, { clientAuth })), wish()));
  }
  assert.deepEqual(
    issuer.requests.map(({ form, headers }) => [
      form.get('client_id'),
      form.get('client_secret'),
      headers.authorization,
    ]),
    [
      ['robot.1-a_b', 's', undefined],
      ['robot.1-a_b', null, undefined],
    ],
  );
});

test('the client of a login lies in the store', async () => {
  await using issuer = await hostileIssuer();
  issuer.script(token());
  const { client: _, ...account } = personAccount(issuer.issuer, robot, { issuer: { kind: 'of-credential' } });
  const client = { issuer: issuer.issuer, clientId: 'registered', authMethod: 'client_secret_post' };
  const secrets = { ...refreshSecrets('rt'), clientSecret: new Secret('client_secret', 'kept') };
  const context = contextOf(world, account, { record: accountRecord({ client }), secrets });
  raw(await refreshToken.send(context, wish()));
  assert.equal(issuer.requests[0]?.form.get('client_secret'), 'kept');
  assert.equal(refreshToken.issuerKey(account, context.record), issuer.issuer);
});

test('what is missing on our side is a sentence, and nothing is sent', async () => {
  await using issuer = await hostileIssuer();
  const unread = { ...basicAuth(''), secret: { kind: 'file', path: '/no/such/secret' } } as const;
  const { client: _, ...clientless } = personAccount(issuer.issuer, robot);
  const rt = refreshSecrets('rt');
  const cases = [
    await clientCredentials.send(contextOf(world, robotAccount(issuer.issuer, robot, { clientAuth: unread })), wish()),
    await refreshToken.send(contextOf(world, personAccount(issuer.issuer, robot)), wish()),
    await refreshToken.send(contextOf(world, clientless, { secrets: rt }), wish()),
    await refreshToken.send(
      contextOf(world, { ...clientless, issuer: { kind: 'of-credential' } }, { secrets: rt }),
      wish(),
    ),
    await tokenExchange.send(contextOf(world, exchangeAccount(issuer.issuer, robot)), wish()),
  ];
  assert.deepEqual(
    cases.map((answer) => answer.kind === 'none' && [answer.sent, answer.fault.code]),
    [
      ['no', 'secret-unreadable'],
      ['no', 'login-needed'],
      ['no', 'login-needed'],
      ['no', 'login-needed'],
      ['no', 'token-none'],
    ],
  );
  issuer.assertRequests(0);
});

test('scenario 30: a token endpoint that has moved is looked up at the next attempt', async () => {
  await using issuer = await hostileIssuer();
  issuer.script(token(), json(404, ''), token());
  const context = contextOf(world, robotAccount(issuer.issuer, robot));
  raw(await clientCredentials.send(context, wish()));
  issuer.metadata({ token_endpoint: `${issuer.issuer}/new` });
  const gone = raw(await clientCredentials.send(context, wish()));
  const outcome = clientCredentials.judge(gone, context);
  assert.equal(outcome.kind === 'later' && outcome.fault.code, 'issuer-nonsense');
  raw(await clientCredentials.send(context, wish()));
  assert.deepEqual(
    issuer.requests.map((seen) => seen.path),
    ['/token', '/token', '/new'],
  );
});

test('a client secret that changed is read again after the old one was refused', async (context) => {
  await using issuer = await hostileIssuer();
  issuer.script(token(), json(401, { error: 'invalid_client' }), token());
  const directory = await mkdtemp(join(tmpdir(), 'client-secret-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'secret');
  const clientAuth = { ...basicAuth(''), secret: { kind: 'file', path } } as const;
  const grantContext = contextOf(world, robotAccount(issuer.issuer, robot, { clientAuth }));
  await writeFile(path, 'old\n', { mode: 0o600 });
  raw(await clientCredentials.send(grantContext, wish()));
  await writeFile(path, 'new\n');
  raw(await clientCredentials.send(grantContext, wish()));
  raw(await clientCredentials.send(grantContext, wish()));
  const secrets = issuer.requests.map(({ headers }) =>
    Buffer.from(headers.authorization?.slice(6) ?? '', 'base64')
      .toString()
      .split(':')
      .at(-1),
  );
  assert.deepEqual(secrets, ['old', 'old', 'new']);
});

test('scenario 44: no fault of a grant shows a secret that was sent', async () => {
  const canaries = { client_id: 'robot', client_secret: 'canary-client-secret' };
  const echo = (status: number) =>
    json(status, { error: 'invalid_grant', error_description: 'canary-refresh-token canary-client-secret' });
  for (const step of [echo(400), echo(401), echo(500), resetBeforeAnswer, html200, json(200, '{"canary-')]) {
    await using issuer = await hostileIssuer();
    issuer.always(step);
    const context = contextOf(world, personAccount(issuer.issuer, canaries), {
      secrets: refreshSecrets('canary-refresh-token'),
    });
    const answer = await refreshToken.send(context, wish());
    const shown = answer.kind === 'none' ? answer : refreshToken.judge(answer, context);
    assert.doesNotMatch(inspect(shown, { depth: 9, showHidden: true }) + JSON.stringify(shown), /canary/);
  }
});
