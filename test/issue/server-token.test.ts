import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { checkClientId } from '../../src/issue/client.ts';
import { decodeJwt } from '../../src/token/jwt.ts';
import { hours, minutes, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { basic, post, type ServerBed, serverBed } from './server-bed.ts';

const any = 'https://wlcg.cern.ch/jwt/v1/any';

async function ask(
  bed: ServerBed,
  { id, secret }: { id: string; secret: string },
  form: Record<string, string> | string,
  headers: Record<string, string> = {},
) {
  const asked = typeof form === 'string' ? form : { grant_type: 'client_credentials', ...form };
  return await post(bed.at('/token'), asked, { authorization: basic(id, secret), ...headers });
}

function claimsOf(body: Record<string, unknown>): Readonly<Record<string, unknown>> {
  const jwt = decodeJwt(String(body['access_token']));
  assert.ok(jwt.kind === 'jwt', JSON.stringify(body));
  return jwt.claims;
}

test('ISS-11: a client with a secret gets a token that carries every claim, and is told its scope and its life', async () => {
  await using bed = await serverBed({ path: '/vo' });
  const client = await bed.client();
  const { status, headers, body } = await ask(bed, client, { scope: 'storage.read:/home' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('access-control-allow-origin'), null);
  assert.deepEqual(Object.keys(body).toSorted(), ['access_token', 'expires_in', 'scope', 'token_type']);
  assert.equal(body['scope'], 'storage.read:/home');
  assert.equal(body['expires_in'], 3600);
  const { jti, exp, iat, nbf, ...claims } = claimsOf(body);
  assert.deepEqual(claims, {
    iss: bed.url,
    sub: client.id,
    client_id: client.id,
    aud: 'https://se.example.org',
    scope: 'storage.read:/home',
    'wlcg.ver': '1.0',
  });
  assert.deepEqual([typeof jti, typeof exp, typeof iat, typeof nbf], ['string', 'number', 'number', 'number']);
});

test('a token is a line in the audit log: for whom, to which address, by which request', async () => {
  await using bed = await serverBed();
  const client = await bed.client();
  const { headers, body } = await ask(bed, client, {});
  const { jti } = claimsOf(body);
  const [line] = await bed.issuer.audit.lines({ jti: String(jti) });
  assert.equal(line?.entry.event, 'issued');
  assert.equal(line?.entry.by, `client ${client.id}`);
  assert.deepEqual(line?.entry.deliveredTo, ['127.0.0.1']);
  assert.equal(line?.entry.requestId, headers.get('x-request-id'));
  assert.equal((await bed.issuer.audit.verify()).kind, 'whole');
});

test('scopes and audiences are bounded by the registration of the client and by issuer.yaml, each by itself', async () => {
  await using bed = await serverBed();
  const client = await bed.client({
    scopes: ['storage.read:/home', 'compute.create'],
    audiences: ['https://se.example.org', 'https://elsewhere.example.net', 'https://dav*.example.org'],
  });
  const audience = 'https://se.example.org';
  const table: readonly (readonly [Record<string, string> | string, number, string?])[] = [
    [{ scope: 'storage.read:/home/x', audience }, 200],
    [{ scope: 'storage.read:/homeless', audience }, 400, 'invalid_scope'],
    [{ scope: 'storage.read:/home/../etc', audience }, 400, 'invalid_scope'],
    [{ scope: 'storage.read', audience }, 400, 'invalid_scope'],
    [{ scope: 'storage.modify:/data', audience }, 400, 'invalid_scope'],
    // The client may, the issuer may not.
    [{ scope: 'compute.create', audience }, 400, 'invalid_scope'],
    [{ scope: 'storage.read:/home', audience: 'https://elsewhere.example.net' }, 400, 'invalid_target'],
    [{ scope: 'storage.read:/home', audience: 'https://other.example.org' }, 400, 'invalid_target'],
    [{ scope: 'storage.read:/home', audience: 'https://se.example.org https://dav7.example.org' }, 200],
    [
      `grant_type=client_credentials&scope=storage.read:/home&audience=${audience}&audience=https://dav1.example.org`,
      200,
    ],
    [`grant_type=client_credentials&scope=storage.read:/home&resource=${audience}`, 200],
    [`grant_type=client_credentials&scope=storage.read:/home&resource=se.example.org`, 400, 'invalid_target'],
    [`grant_type=client_credentials&scope=storage.read:/home&resource=${audience}%23x`, 400, 'invalid_target'],
    // Several are possible, so that one has to be chosen.
    [{ scope: 'storage.read:/home' }, 400, 'invalid_target'],
  ];
  for (const [form, status, error] of table) {
    const answer = await ask(bed, client, form);
    assert.equal(answer.status, status, `${JSON.stringify(form)}: ${JSON.stringify(answer.body)}`);
    assert.equal(answer.body['error'], error, JSON.stringify(answer.body));
  }
  const refusals = (await bed.issuer.audit.lines({})).filter(({ entry }) => entry.event === 'refused');
  assert.ok(refusals.length >= 7);
  for (const { entry } of refusals) assert.ok(entry.reason !== undefined && entry.requestId !== undefined);
});

test('ISS-11: a token for every service takes a client that was registered for it, and an issuer that allows it', async () => {
  await using bed = await serverBed();
  const some = await bed.client();
  const all = await bed.client({ everyone: true });
  assert.equal((await ask(bed, some, { audience: any })).body['error'], 'invalid_target');
  const { body } = await ask(bed, all, { audience: any });
  assert.equal(claimsOf(body)['aud'], any);
  await using strict = await serverBed({ policy: { everyone: false } });
  const other = await strict.client({ everyone: true });
  assert.equal((await ask(strict, other, { audience: any })).body['error'], 'invalid_target');
});

test('ISS-10: the lifetime is that of issuer.yaml, cut by what the client was registered with', async () => {
  await using bed = await serverBed({ policy: { lifetime: { usual: hours(2), most: hours(6) } } });
  const usual = await ask(bed, await bed.client(), {});
  const short = await ask(bed, await bed.client({ lifetime: minutes(10) }), {});
  const long = await ask(bed, await bed.client({ lifetime: hours(20) }), {});
  assert.deepEqual(
    [usual, short, long].map(({ body }) => body['expires_in']),
    [7200, 600, 21_600],
  );
});

test('the subject is that of the registration: a request cannot name one, and a suspended one gets nothing', async () => {
  await using bed = await serverBed({ policy: { suspended: ['pilot-bad'] } });
  const good = await bed.client({ subject: 'pilot-1' });
  const { body } = await ask(bed, good, { subject: 'alice', sub: 'alice', client_id: good.id });
  assert.equal(claimsOf(body)['sub'], 'pilot-1');
  const bad = await ask(bed, await bed.client({ subject: 'pilot-bad' }), {});
  assert.deepEqual([bad.status, bad.body['error']], [400, 'access_denied']);
});

test('a client that issuer.yaml refuses is told what it asked for, and not what others may; the audit log has both', async () => {
  await using bed = await serverBed({
    policy: { subjects: ['alice', 'client-*'], audiences: ['https://se.example.org', 'https://se.secret.org'] },
  });
  const wide = { scopes: ['storage.read:/', 'compute.create'], audiences: ['https://*'] };
  const stranger = await bed.client({ ...wide, subject: 'bob' });
  const known = await bed.client({ ...wide, subject: 'alice' });
  const audience = 'https://se.example.org';
  const asked = [
    await ask(bed, stranger, { scope: 'storage.read:/x', audience }),
    await ask(bed, known, { scope: 'storage.read:/x', audience: 'https://other.net' }),
    await ask(bed, known, { scope: 'compute.create', audience }),
  ];
  assert.deepEqual(
    asked.map(({ body }) => body['error_description']),
    [
      'the policy does not allow the subject bob',
      'the policy does not allow the audience https://other.net',
      'the policy does not allow the scope compute.create',
    ],
  );
  const reasons = (await bed.issuer.audit.lines({})).map(({ entry }) => entry.reason ?? '');
  assert.match(
    reasons.join(),
    /bob; it allows alice, client-\*.*it allows \S+, https:\/\/se.secret.org.*it allows storage/,
  );
  // What it was registered with itself it may know.
  const own = await ask(bed, known, { scope: 'storage.modify:/data', audience });
  assert.match(String(own.body['error_description']), /registration of this client .*; it allows storage.read:\/, /);
});

test('the metadata follow issuer.yaml within a second, without a token being asked for, and go on when it does not read', async () => {
  const clock = new TestClock();
  await using bed = await serverBed({ world: { ...realWorld(), clock } });
  const scopes = async () => {
    clock.advance(seconds(2));
    const answer = await fetch(bed.at('/.well-known/openid-configuration'));
    return ((await answer.json()) as Record<string, readonly string[]>)['scopes_supported'];
  };
  const before = await scopes();
  assert.ok(before?.includes('compute.read'));
  const file = join(bed.issuer.directory, 'issuer.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll('compute.read', 'compute.modify'));
  assert.ok((await scopes())?.includes('compute.modify'));
  await writeFile(file, 'policy: [');
  assert.ok((await scopes())?.includes('compute.modify'));
});

test('ISS-20: the id of a client is made here, or one that no person could have', async () => {
  await using bed = await serverBed();
  for (const id of ['client-rucio', 'host:ce1.example.org', '7dee38a3-6ab8-4fe2-9e4c-58039c21d017']) {
    assert.equal((await bed.client({ id })).id, id);
  }
  assert.match((await bed.client()).id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const people = [
    'alice',
    'a',
    '',
    'client-',
    'CLIENT-X',
    'host:localhost',
    'host:A.B',
    'client-a b',
    'alice@example.org',
  ];
  for (const id of people) assert.throws(() => checkClientId(id), Fault, id);
  await assert.rejects(() => bed.client({ id: 'client-rucio' }), /already/);
});

test('ISS-05: grants that are not there, and those the client was not registered for, are refused by their names', async () => {
  await using bed = await serverBed();
  const client = await bed.client({ grants: ['token_exchange'] });
  const error = async (grant_type: string) => (await ask(bed, client, { grant_type })).body['error'];
  assert.equal(await error('client_credentials'), 'unauthorized_client');
  for (const none of [
    'password',
    'implicit',
    'authorization_code',
    'urn:ietf:params:oauth:grant-type:device_code',
    '__proto__',
  ])
    assert.equal(await error(none), 'unsupported_grant_type');
  assert.equal((await ask(bed, client, 'scope=x')).body['error'], 'invalid_request');
  const noted = (await bed.issuer.audit.lines({})).filter(({ entry }) => entry.event === 'refused');
  assert.equal(noted.length, 7);
  for (const { entry } of noted) assert.ok(entry.by === `client ${client.id}` && entry.requestId !== undefined);
});

test('scenario 42: no token comes after the commit of a removal, not even for a request that is under way', async () => {
  await using bed = await serverBed();
  const client = await bed.client();
  assert.equal((await ask(bed, client, {})).status, 200);
  // Remembered as good; the removal is in the same group of writes as the token, in front of it.
  const [, answer] = await Promise.all([bed.admin.remove(client.id), ask(bed, client, {})]);
  const lines = await bed.issuer.audit.lines({});
  const removed = lines.findIndex(({ entry }) => entry.event === 'client-removed');
  const after = lines.slice(removed + 1).filter(({ entry }) => entry.event === 'issued');
  assert.deepEqual(after, []);
  assert.ok([200, 401].includes(answer.status));
  assert.equal((await ask(bed, client, {})).status, 401);
});

test('a secret that was changed holds on for the grace, and not longer; the new one is good at once', async () => {
  await using bed = await serverBed();
  const client = await bed.client();
  assert.equal((await ask(bed, client, {})).status, 200);
  const { secret } = await bed.admin.rotateSecret(client.id, minutes(5));
  assert.equal((await ask(bed, client, {})).status, 200);
  assert.equal((await ask(bed, { id: client.id, secret: secret.reveal() }, {})).status, 200);
  const last = await bed.admin.rotateSecret(client.id, minutes(0));
  assert.equal((await ask(bed, client, {})).status, 401);
  assert.equal((await ask(bed, { id: client.id, secret: secret.reveal() }, {})).status, 401);
  assert.equal((await ask(bed, { id: client.id, secret: last.secret.reveal() }, {})).status, 200);
});

test('a client that asks too often is told when to come back; others are not touched by it', async () => {
  await using bed = await serverBed({
    server: { limits: { client: { perSecond: 0.1, burst: 2 }, address: { perSecond: 1000, burst: 1000 } } },
  });
  const [busy, calm] = [await bed.client(), await bed.client()];
  assert.deepEqual([(await ask(bed, busy, {})).status, (await ask(bed, busy, {})).status], [200, 200]);
  const { status, headers, body } = await ask(bed, busy, {});
  assert.deepEqual([status, body['error']], [429, 'temporarily_unavailable']);
  const wait = Number(headers.get('retry-after'));
  assert.ok(wait >= 1 && wait <= 10, String(wait));
  assert.equal((await ask(bed, calm, {})).status, 200);
});
