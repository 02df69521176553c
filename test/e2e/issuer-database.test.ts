import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { tcpRelay } from '../peers/tcp-relay.ts';
import { type ThrowAwayCa, throwAwayCa } from '../peers/throw-away-ca.ts';
import { assertNoTrace, assertSentence, type House, house, until } from './house.ts';
import {
  addClient,
  ask,
  clientCredentials,
  exchangeOf,
  exchanging,
  firstKey,
  type IssuerNode,
  issuerNode,
  type Registered,
  refreshOf,
  sql,
} from './issuer-node.ts';

let postgres: RunningPostgres;
let ca: ThrowAwayCa;
let at: House;
let url: string;
let owner: IssuerNode;
let client: Registered;
let storage: Registered;

/**
 * To tokeep another host than this one, which is reached without TLS under its usual names alone; to the resolver it is loopback.
 */
const elsewhere = 'LOCALHOST';

before(async () => {
  ca = await throwAwayCa();
  [postgres, at] = await Promise.all([startPostgres({ tls: await ca.certificate() }), house()]);
  url = await postgres.database('issuer');
  owner = await issuerNode(at, 'owner', { url });
  await firstKey(owner);
  [client, storage] = await Promise.all([
    addClient(owner, 'client-rucio', ...exchanging),
    addClient(owner, 'client-se', '--serves', 'https://se.example.org'),
  ]);
});

after(async () => {
  await postgres.stop();
  await at[Symbol.asyncDispose]();
  await ca.remove();
});

test('the SQL that is printed makes a role that the server runs under, and that PostgreSQL lets change no line of the audit log', async () => {
  const { stdout } = await owner.does(['issuer', 'database', 'tokeep_server']);
  await sql(url, `CREATE ROLE tokeep_server LOGIN; ${stdout}`);
  const limited = url.replace('user=tokeep', 'user=tokeep_server');
  const two = await issuerNode(at, 'limited', { url: limited }, 'owner');
  const [free, bound] = await Promise.all([owner.serve(), two.serve()]);
  await using _free = free;
  await using server = bound;

  const own = await ask(server, client, clientCredentials);
  const exchanged = await ask(server, client, exchangeOf(String(own.body['access_token'])));
  const refresh = String(exchanged.body['refresh_token']);
  const token = String((await ask(server, client, refreshOf(refresh))).body['access_token']);
  assert.equal((await ask(server, storage, { token }, '/introspect')).body['active'], true);
  assert.equal((await ask(server, client, { token }, '/revoke')).status, 200);
  assert.equal((await ask(server, storage, { token }, '/introspect')).body['active'], false);
  assert.equal((await ask(server, client, { token: refresh }, '/revoke')).status, 200);
  assert.equal((await ask(server, client, refreshOf(refresh))).status, 400);
  await owner.does(['issuer', 'rotate', '--now', '--reason', 'test']);
  await until('the next key noted as published', async () => {
    await fetch(server.at('/oauth2/certs'));
    const [row] = await sql(url, `SELECT doc FROM issuer_key WHERE state = 'next'`);
    return String(row?.['doc']).includes('publishedAt');
  });
  await server.hears(/audit-head: /);

  for (const change of [
    `UPDATE issuer_audit SET line = '{}'`,
    'DELETE FROM issuer_audit',
    'TRUNCATE issuer_audit',
    'ALTER TABLE issuer_audit ADD COLUMN x INT',
    'DROP TABLE issuer_audit',
    'DELETE FROM issuer_client',
  ]) {
    await assert.rejects(() => sql(limited, change), /permission denied|must be owner/, change);
  }
  const refused = await two.run(['issuer', 'client', 'remove', storage.id]);
  assert.notEqual(refused.status, 0);
  assertSentence(refused);
  assert.match(free.said(), /audit-unprotected: .*tokeep/);
  assert.doesNotMatch(server.said(), /audit-unprotected|unexpected-fault/);
  await two.does(['issuer', 'audit']);
});

test('PostgreSQL goes away and comes back amid requests: the servers stay, tell clients to come back meanwhile, and then go on', async () => {
  const two = await issuerNode(at, 'second', { url }, 'owner');
  const nodes = await Promise.all([owner.serve(), two.serve()]);
  await using _one = nodes[0];
  await using _two = nodes[1];
  const odd: string[] = [];
  const counts = { 200: 0, 503: 0 };
  const enough = new AbortController();
  const asking = nodes.flatMap((node) =>
    Array.from({ length: 4 }, async () => {
      while (!enough.signal.aborted) {
        const { status, body, headers } = await ask(node, client, clientCredentials);
        const told = body['error'] === 'temporarily_unavailable' && headers.get('retry-after') !== null;
        if (status === 200 || (status === 503 && told)) counts[status] += 1;
        else odd.push(`${status} ${JSON.stringify(body)}`);
      }
    }),
  );
  const more = async (status: 200 | 503) => {
    const from = counts[status];
    await until(`answers ${status}`, () => counts[status] > from + 20);
  };
  const ready = () => Promise.all(nodes.map(async ({ origin }) => (await fetch(`${origin}/readyz`)).status));
  const keys = () => Promise.all(nodes.map(async (node) => (await fetch(node.at('/oauth2/certs'))).status));

  assert.deepEqual(await keys(), [200, 200]);
  for (const how of ['fast', 'immediate'] as const) {
    await more(200);
    await postgres.pause(how);
    await more(503);
    // An answer holds for a second.
    await until('neither ready', async () => (await ready()).every((status) => status === 503));
    assert.deepEqual(await keys(), [200, 200]);
    await postgres.resume();
    await until('both ready', async () => (await ready()).every((status) => status === 200));
  }
  await more(200);
  enough.abort();
  await Promise.all(asking);
  assert.deepEqual(odd, []);
  for (const node of nodes) {
    assertNoTrace(node.said());
    assert.deepEqual([node.child.exitCode, node.child.signalCode], [null, null]);
  }
  await owner.does(['issuer', 'audit']);
});

test('a database on another host is spoken to by TLS alone, and only if its certificate is of the CA and for its name', async () => {
  const { home, port } = postgres.place;
  await using relay = await tcpRelay({ host: '127.0.0.1', port });
  await using plain = await tcpRelay({ path: `${home}/.s.PGSQL.${port}` });
  await using otherCa = await throwAwayCa();
  const remote = (to: number, host = elsewhere) => `postgres://tokeep:a-database-password@${host}:${to}/issuer`;

  const right = await issuerNode(at, 'right', { url: remote(relay.port), caFile: ca.caFile }, 'owner');
  await using server = await right.serve();
  assert.equal((await ask(server, client, clientCredentials)).status, 200);
  assert.equal(relay.answered().subarray(0, 1).toString(), 'S');
  assert.equal(relay.asked()[8], 0x16, 'a TLS handshake follows the request for TLS at once');

  const refused = [
    [
      'other-ca',
      { url: remote(relay.port), caFile: otherCa.caFile },
      /its certificate comes from a CA that is not trusted/,
    ],
    ['no-ca', { url: remote(relay.port) }, /its certificate comes from a CA that is not trusted/],
    ['other-name', { url: remote(relay.port, '0.0.0.0'), caFile: ca.caFile }, /its certificate is for another name/],
    ['plain', { url: remote(plain.port), caFile: ca.caFile }, /it does not speak TLS/],
  ] as const;
  await Promise.all(
    refused.map(async ([name, database, why]) => {
      const node = await issuerNode(at, name, database, 'owner');
      const ran = await node.run(['issuer', 'list']);
      assert.equal(ran.status, 4, ran.stderr);
      assertSentence(ran);
      assert.match(ran.stderr, why);
    }),
  );
  const heard = Buffer.concat([relay.asked(), plain.asked()]).toString('latin1');
  assert.doesNotMatch(heard, /tokeep|a-database-password|issuer_|SELECT/);
  // One request for TLS, of which the one who asks is refused, and nothing else.
  assert.equal(plain.asked().length, 8);
});
