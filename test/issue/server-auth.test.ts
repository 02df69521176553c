import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { assertionType } from '../../src/issue/client-assertion.ts';
import { authenticate } from '../../src/issue/client-auth.ts';
import { ClientDirectory } from '../../src/issue/client-directory.ts';
import { readClientKey } from '../../src/issue/client-key.ts';
import { ClientTable } from '../../src/issue/client-table.ts';
import { readKeys } from '../../src/mint/key-table.ts';
import { loadPrivateKey } from '../../src/mint/private-keys.ts';
import { Form } from '../../src/serve/form.ts';
import { realClock } from '../../src/world/real-clock.ts';
import { basic, post, type ServerBed, serverBed } from './server-bed.ts';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicPem = ({ publicKey }: { publicKey: KeyObject }) =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const now = () => Math.floor(Date.now() / 1000);

type Changes = Readonly<Record<string, unknown>>;

/** An assertion as it should be, and what is changed in it. */
async function assertion(
  id: string,
  key: KeyObject | Uint8Array,
  aud: unknown,
  claims: Changes = {},
  header: Changes = {},
): Promise<string> {
  const all = { iss: id, sub: id, aud, iat: now(), exp: now() + 60, jti: randomUUID(), ...claims };
  return await new SignJWT(all as Record<string, unknown>).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
}

async function withAssertion(bed: ServerBed, text: string, more: Record<string, string> = {}) {
  const form = { client_assertion: text, client_assertion_type: assertionType, ...more };
  return await post(bed.at('/token'), { grant_type: 'client_credentials', ...form });
}

test('ISS-14: an assertion is for this issuer, short, and good once; everything else is refused with the same words', async () => {
  await using bed = await serverBed();
  const keys = pair();
  const { id } = await bed.client({ key: readClientKey(publicPem(keys), 'test') });
  const make = (claims: Changes = {}, header: Changes = {}, aud: unknown = bed.url) =>
    assertion(id, keys.privateKey, aud, claims, header);
  const status = async (text: string) => (await withAssertion(bed, text)).status;
  for (const good of [
    await make(),
    await make({}, {}, [bed.url]),
    await make({}, {}, `${bed.url}/token`),
    await make({}, { typ: 'client-authentication+jwt' }),
    await make({}, { typ: 'JWT', kid: 'whatever' }),
    await make({ exp: now() + 299 }),
    await make({ iat: undefined }),
  ]) {
    assert.equal(await status(good), 200);
  }
  const bad: Record<string, string> = {
    'of another issuer': await make({}, {}, 'https://issuer.example.net'),
    'for two': await make({}, {}, [bed.url, 'https://issuer.example.net']),
    'for nobody': await make({}, {}, null),
    'with a slash more': await make({}, {}, `${bed.url}/`),
    ended: await make({ exp: now() - 1 }),
    'too long': await make({ exp: now() + 1000 }),
    'made for a day, in its last minute': await make({ iat: now() - 86_340 }),
    'with a jti that no database takes': await make({ jti: 'a\0b' }),
    'with a jti that is no text': await make({ jti: 'a\ud800' }),
    'without end': await make({ exp: undefined }),
    'with an end in words': await make({ exp: 'tomorrow' }),
    'not yet valid': await make({ nbf: now() + 300 }),
    'from the future': await make({ iat: now() + 300 }),
    'without jti': await make({ jti: undefined }),
    'with an endless jti': await make({ jti: 'x'.repeat(300) }),
    'issued by another': await make({ iss: 'client-other' }),
    'about another': await make({ sub: 'client-other' }),
    'of another kind': await make({}, { typ: 'at+jwt' }),
    'of another key': await assertion(id, pair().privateKey, bed.url),
    'with a secret': await assertion(id, Buffer.from(publicPem(keys)), bed.url, {}, { alg: 'HS256' }),
    'with a critical header': await make({}, { crit: ['exp2'], exp2: 1 }).catch(() => 'eyJhbGciOiJFUzI1NiJ9.e30.AA'),
    'of nobody': await assertion('client-nobody', keys.privateKey, bed.url),
  };
  const words = new Set<string>();
  for (const [what, text] of Object.entries(bad)) {
    const { status: answer, body } = await withAssertion(bed, text);
    if (what === 'with a critical header') assert.ok(answer >= 400);
    else assert.equal(answer, 401, what);
    if (answer === 401) words.add(JSON.stringify(body));
  }
  assert.equal(words.size, 1, [...words].join());
  const once = await make();
  assert.deepEqual([await status(once), await status(once), await status(once)], [200, 401, 401]);
  const replays = (await bed.issuer.audit.lines({})).filter(({ entry }) => entry.event === 'replayed');
  assert.equal(replays.length, 2);
});

test('ISS-14: an assertion costs the check of one signature, of whoever it claims to be, and whatever key that client has', async (t) => {
  await using bed = await serverBed();
  const keys = pair();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { id } = await bed.client({ key: readClientKey(publicPem(keys), 'key.pem') });
  const withSecret = await bed.client();
  const texts: string[] = [];
  for (const client of [id, withSecret.id, 'client-nobody']) {
    texts.push(await assertion(client, pair().privateKey, bed.url));
    texts.push(await assertion(client, rsa.privateKey, bed.url, {}, { alg: 'RS256' }));
  }
  const { mock } = t.mock.method(globalThis.crypto.subtle, 'verify');
  for (const text of texts) {
    const before = mock.callCount();
    assert.equal((await withAssertion(bed, text)).status, 401);
    assert.equal(mock.callCount() - before, 1);
  }
  const names = mock.calls.map(({ arguments: [, key] }) => (key as { algorithm: { name: string } }).algorithm.name);
  assert.deepEqual([...new Set(names)].toSorted(), ['ECDSA', 'RSASSA-PKCS1-v1_5']);
});

test('ISS-14: of the same assertion sent many times at once exactly one is taken', async () => {
  await using bed = await serverBed();
  const keys = pair();
  const { id } = await bed.client({ key: readClientKey(publicPem(keys), 'test') });
  const text = await assertion(id, keys.privateKey, bed.url);
  const answers = await Promise.all(Array.from({ length: 12 }, () => withAssertion(bed, text)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
});

test('ISS-13: no kind of JWT stands in for another: access tokens, assertions, and what only looks like them', async () => {
  await using bed = await serverBed();
  const keys = pair();
  const byKey = await bed.client({ key: readClientKey(publicPem(keys), 'test'), serves: ['https://se.example.org'] });
  const storage = await bed.client({ grants: [], serves: ['https://se.example.org'] });
  const made = await withAssertion(bed, await assertion(byKey.id, keys.privateKey, bed.url));
  const access = String(made.body['access_token']);
  const kid = JSON.parse(Buffer.from(access.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
  const claims = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()) as Changes;
  const forged = await assertion(byKey.id, keys.privateKey, 'https://se.example.org', claims, { typ: 'JWT', ...kid });
  const [record] = await readKeys(bed.issuer.database);
  assert.ok(record !== undefined);
  const ours = await loadPrivateKey(bed.issuer.keyPlace, record);
  const kinds: Record<string, string> = {
    'an access token': access,
    'another kind with the key of the issuer': await assertion('x', ours, 'x', claims, { ...kid, typ: 'logout+jwt' }),
    'a client assertion': await assertion(byKey.id, keys.privateKey, bed.url),
    'an access token signed by a client': forged,
    'an unsigned one': `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${access.split('.')[1]}.`,
    'one of another type': await assertion('x', keys.privateKey, 'x', claims, { ...kid, typ: 'at+jwt' }),
    'something opaque': 'abc',
  };
  const consumers: Record<string, (text: string) => Promise<boolean>> = {
    'client authentication': async (text) => (await withAssertion(bed, text, { client_id: byKey.id })).status === 200,
    introspection: async (text) => {
      const who = { authorization: basic(storage.id, storage.secret) };
      return (await post(bed.at('/introspect'), { token: text }, who)).body['active'] === true;
    },
  };
  const accepted: string[] = [];
  for (const [kind, text] of Object.entries(kinds)) {
    for (const [consumer, takes] of Object.entries(consumers))
      if (await takes(text)) accepted.push(`${kind} by ${consumer}`);
  }
  assert.deepEqual(accepted, ['an access token by introspection', 'a client assertion by client authentication']);
});

test('ISS-14: an unknown client and a wrong secret take the same way, step by step, and get the same answer', async () => {
  await using bed = await serverBed();
  const client = await bed.client();
  const table = new ClientTable(bed.issuer.database);
  const looks: string[] = [];
  const counting = Object.assign(Object.create(table) as ClientTable, {
    find: async (id: string) => {
      looks.push(id);
      return await table.find(id);
    },
  });
  const directory = new ClientDirectory(counting, realClock);
  const desk = { directory, database: bed.issuer.database, clock: realClock, audiences: [bed.url] };
  const form = new Form(new Map());
  const attempt = async (id: string, secret: string) => {
    looks.length = 0;
    const answer = await authenticate(desk, basic(id, secret), form);
    return { kind: answer.kind, why: answer.kind === 'refused' ? answer.why : '', looks: looks.length };
  };
  const unknown = await attempt('client-nobody', client.secret);
  assert.deepEqual(await attempt(client.id, 'wrong'), unknown);
  assert.equal((await attempt(client.id, client.secret)).kind, 'client');
  // Remembered by now, and still no shorter way to a refusal.
  assert.deepEqual(await attempt(client.id, 'wrong'), unknown);
  assert.deepEqual(unknown, { kind: 'refused', why: 'unknown, or a wrong secret', looks: 1 });
  const answers = await Promise.all(
    [basic('client-nobody', 'x'), basic(client.id, 'x'), basic(client.id, '')].map((authorization) =>
      post(bed.at('/token'), { grant_type: 'client_credentials' }, { authorization }),
    ),
  );
  assert.equal(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size, 1);
  assert.match(String(answers[0]?.headers.get('www-authenticate')), /^Basic /);
});

test('a secret that was sent in the place of the id does not reach the log', async () => {
  const told: unknown[] = [];
  await using bed = await serverBed({ server: { log: { event: (...event: unknown[]) => told.push(event) } } });
  const { id, secret } = await bed.client();
  for (const who of [basic(secret, ''), basic(secret, id), basic(id, 'wrong')]) {
    assert.equal(
      (await post(bed.at('/token'), { grant_type: 'client_credentials' }, { authorization: who })).status,
      401,
    );
  }
  const text = JSON.stringify(told);
  assert.ok(!text.includes(secret));
  assert.equal(text.split('issuer-client-refused').length - 1, 3);
  assert.equal(text.split(id).length - 1, 1, 'an id that was known is told');
});

test('ISS-09: the database holds hashes of secrets, and nothing that a secret could be made of', async () => {
  await using bed = await serverBed();
  const { id, secret } = await bed.client();
  assert.ok(Buffer.from(secret, 'base64url').length >= 16);
  const dump = JSON.stringify(await bed.issuer.database.read('SELECT * FROM issuer_client WHERE id = $1', [id]));
  assert.ok(!dump.includes(secret) && dump.includes('sha256'));
  const lines = JSON.stringify(await bed.issuer.audit.lines({}));
  assert.ok(!lines.includes(secret));
});

test('Basic is taken form-encoded by the book, and raw as many send it; two proofs at once are refused', async () => {
  await using bed = await serverBed();
  const client = await bed.client({ id: 'host:ce1.example.org' });
  const send = async (authorization: string, form: Record<string, string> = {}) =>
    await post(bed.at('/token'), { grant_type: 'client_credentials', ...form }, { authorization });
  assert.equal((await send(basic(client.id, client.secret))).status, 200);
  const uuid = await bed.client();
  const raw = `Basic ${Buffer.from(`${uuid.id}:${uuid.secret}`).toString('base64')}`;
  const fullyEncoded = `${uuid.id}`.replaceAll('-', '%2D');
  const encoded = `Basic ${Buffer.from(`${fullyEncoded}:${uuid.secret}`).toString('base64')}`;
  assert.deepEqual([(await send(raw)).status, (await send(encoded)).status], [200, 200]);
  const both = await send(raw, { client_secret: uuid.secret });
  assert.deepEqual([both.status, both.body['error']], [400, 'invalid_request']);
  assert.equal((await send(raw, { client_id: 'client-other' })).body['error'], 'invalid_request');
  assert.equal((await send('Bearer abc')).body['error'], 'invalid_request');
});

test('ISS-18: introspection tells only the audience of a token; revocation takes only what a client was given', async () => {
  await using bed = await serverBed();
  const any = 'https://wlcg.cern.ch/jwt/v1/any';
  const asking = await bed.client({ everyone: true });
  const token = async (form: Record<string, string> = {}) =>
    String(
      (
        await post(
          bed.at('/token'),
          { grant_type: 'client_credentials', ...form },
          { authorization: basic(asking.id, asking.secret) },
        )
      ).body['access_token'],
    );
  const [mine, forAll] = [await token(), await token({ audience: any })];
  const clients = {
    audience: await bed.client({ grants: [], serves: ['https://se.example.org'] }),
    other: await bed.client({ grants: [], serves: ['https://other.example.org'] }),
    none: await bed.client({ grants: [] }),
    asking,
  };
  const introspect = async (who: keyof typeof clients, text: string) =>
    (await post(bed.at('/introspect'), { token: text }, { authorization: basic(clients[who].id, clients[who].secret) }))
      .body;
  const seen: Record<string, readonly unknown[]> = {};
  for (const who of Object.keys(clients) as (keyof typeof clients)[]) {
    seen[who] = [(await introspect(who, mine))['active'], (await introspect(who, forAll))['active']];
  }
  assert.deepEqual(seen, {
    audience: [true, true],
    other: [false, true],
    none: [false, false],
    asking: [false, false],
  });
  assert.deepEqual(await introspect('other', mine), { active: false });
  assert.equal((await post(bed.at('/introspect'), { token: mine })).status, 401);

  const revoke = async (who: keyof typeof clients, text: string) =>
    (await post(bed.at('/revoke'), { token: text }, { authorization: basic(clients[who].id, clients[who].secret) }))
      .status;
  assert.equal((await post(bed.at('/revoke'), { token: mine })).status, 401);
  assert.equal(await revoke('other', mine), 400);
  assert.equal((await introspect('audience', mine))['active'], true);
  for (const unknown of ['abc', 'a.b.c', `${mine.slice(0, -4)}AAAA`])
    assert.equal(await revoke('asking', unknown), 200);
  assert.deepEqual([await revoke('asking', mine), await revoke('asking', mine)], [200, 200]);
  assert.equal((await introspect('audience', mine))['active'], false);
  const lines = await bed.issuer.audit.lines({});
  const refused = lines.filter(({ entry }) => entry.event === 'refused' && entry.by === `client ${clients.other.id}`);
  assert.equal(refused.length, 1);
  const revocations = lines.filter(({ entry }) => entry.event === 'revoked');
  assert.equal(revocations.length, 1);
  assert.ok(revocations[0]?.entry.jti !== undefined && revocations[0].entry.requestId !== undefined);
});
