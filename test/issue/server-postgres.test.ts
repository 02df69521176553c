import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { SignJWT } from 'jose';
import pg from 'pg';
import { roleStatements, roleThatChangesAudit } from '../../src/issue/audit-rights.ts';
import { readClientKey } from '../../src/issue/client-key.ts';
import { rotateKeys } from '../../src/mint/rotate-keys.ts';
import { mono } from '../../src/token/time.ts';
import { realClock } from '../../src/world/real-clock.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { basic, post, type ServerBed, serverBed } from './server-bed.ts';

let postgres: RunningPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

const storeAt = (url: string) => ({
  settings: { store: { kind: 'postgres', url: { kind: 'command', argv: ['/bin/echo', url] } } } as const,
});

/** Another node on the database of one that has made the keys; they share the sealing key. */
const secondNode = ({ sealKey }: ServerBed, address: string, chain: string) =>
  serverBed({ ...storeAt(address), url, chain, algorithm: 'none', sealKey });

const url = 'https://tokens.example.org/vo';

async function sql(address: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const ask = async (bed: ServerBed, { id, secret }: { id: string; secret: string }) =>
  await post(bed.at('/token'), { grant_type: 'client_credentials' }, { authorization: basic(id, secret) });

test('the SQL that is printed makes a role that runs the server, and cannot change a line of the audit log or a client', async () => {
  const owner = await postgres.database('roles');
  await using first = await serverBed({ ...storeAt(owner), url, chain: 'owner' });
  assert.equal(await roleThatChangesAudit(first.issuer), 'tokeep');
  const client = await first.client({ serves: ['https://se.example.org'] });
  await sql(owner, 'CREATE ROLE "the server" LOGIN', ...roleStatements('the server'));
  const limited = owner.replace('user=tokeep', `user=${encodeURIComponent('the server')}`);

  await using second = await secondNode(first, limited, 'limited');
  assert.equal(await roleThatChangesAudit(second.issuer), undefined);
  const { status, body } = await ask(second, client);
  assert.equal(status, 200, JSON.stringify(body));
  const who = { authorization: basic(client.id, client.secret) };
  const token = String(body['access_token']);
  assert.equal((await post(first.at('/introspect'), { token }, who)).body['active'], true);
  assert.equal((await post(second.at('/revoke'), { token }, who)).status, 200);
  assert.equal((await post(first.at('/introspect'), { token }, who)).body['active'], false, 'seen by the other node');
  assert.equal((await fetch(second.at('/oauth2/certs'))).status, 200);

  const rights = ['UPDATE (line)', 'DELETE', 'TRUNCATE', 'TRIGGER'];
  for (const right of rights) {
    await sql(owner, `GRANT ${right} ON issuer_audit TO "the server"`);
    assert.equal(await roleThatChangesAudit(second.issuer), 'the server', right);
    await sql(owner, `REVOKE ${right} ON issuer_audit FROM "the server"`);
  }
  assert.equal(await roleThatChangesAudit(second.issuer), undefined);

  for (const forbidden of [
    "UPDATE issuer_audit SET line = 'x'",
    'DELETE FROM issuer_audit',
    'TRUNCATE issuer_audit',
    'DELETE FROM issuer_client',
    "INSERT INTO issuer_client (id, generation, doc, sum) VALUES ('x', 1, '{}', 0)",
    "UPDATE issuer_client SET doc = '{}'",
    'DELETE FROM issuer_key',
    'DROP TABLE issuer_audit',
  ]) {
    await assert.rejects(() => sql(limited, forbidden), /permission denied|must be owner/, forbidden);
  }
  const verdict = await first.issuer.audit.verify();
  assert.equal(verdict.kind, 'whole');
  assert.deepEqual(verdict.kind === 'whole' && verdict.heads.map(({ chain }) => chain), ['limited', 'owner']);
});

test('scenario 42: a client that one node removes gets nothing from the other from that moment, however many ask', async () => {
  const address = await postgres.database('removal');
  await using one = await serverBed({ ...storeAt(address), url, chain: 'one' });
  await using two = await secondNode(one, address, 'two');
  const client = await one.client();
  assert.equal((await ask(two, client)).status, 200);
  let removedAt = Number.POSITIVE_INFINITY;
  const late: number[] = [];
  const asking = Array.from({ length: 6 }, async () => {
    for (;;) {
      const askedAt = performance.now();
      const { status } = await ask(two, client);
      if (status !== 200) return assert.equal(status, 401);
      if (askedAt > removedAt) late.push(askedAt - removedAt);
    }
  });
  await one.admin.remove(client.id);
  removedAt = performance.now();
  await Promise.all(asking);
  assert.deepEqual(late, []);
});

test('scenario 42: a token that is asked for while a removal is about to commit waits for it, and does not come', async () => {
  const address = await postgres.database('waiting');
  await using bed = await serverBed({ ...storeAt(address), url, chain: 'one' });
  const client = await bed.client();
  assert.equal((await ask(bed, client)).status, 200);
  const [admin, watcher] = [new pg.Client(address), new pg.Client(address)];
  await Promise.all([admin.connect(), watcher.connect()]);
  await admin.query('BEGIN');
  await admin.query('DELETE FROM issuer_client WHERE id = $1', [client.id]);
  let answered = false;
  const asking = ask(bed, client).finally(() => {
    answered = true;
  });
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%issuer_client%'`;
  while (!answered && (await watcher.query(waiting)).rowCount === 0);
  await admin.query('COMMIT');
  assert.equal((await asking).status, 401);
  await Promise.all([admin.end(), watcher.end()]);
});

test('ISS-19: what PostgreSQL has no text or number for is refused as on SQLite, and is no fault of the database', async () => {
  await using bed = await serverBed({ ...storeAt(await postgres.database('odd')), url, chain: 'one' });
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { id } = await bed.client({ key: readClientKey(publicKey, 'test') });
  const asserted = async (sub: string, claims: Record<string, unknown> = {}) => {
    const all = { iss: sub, sub, aud: url, exp: Date.now() / 1000 + 60.123_456, jti: 'once', ...claims };
    const assertion = await new SignJWT(all).setProtectedHeader({ alg: 'ES256' }).sign(keys.privateKey);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const form = { grant_type: 'client_credentials', client_assertion_type: type, client_assertion: assertion };
    return (await post(bed.at('/token'), form)).status;
  };
  assert.equal(await asserted(id), 200, 'ends within a second');
  assert.equal(await asserted(id, { jti: 'a\0b' }), 401);
  assert.equal(await asserted('client-a\0b'), 401);
  const nobody = { id: 'client-a\0b', secret: 'x' };
  assert.equal((await ask(bed, nobody)).status, 401);
  const form = { grant_type: 'client_credentials', client_id: nobody.id, client_secret: nobody.secret };
  assert.equal((await post(bed.at('/token'), form)).status, 401);
  assert.deepEqual(bed.server.counts.samples('faults'), []);
});

test('a key that one node rotates is published and used by the other within a second', async () => {
  const address = await postgres.database('rotation');
  await using one = await serverBed({ ...storeAt(address), url, chain: 'one' });
  await using two = await secondNode(one, address, 'two');
  const kids = async () =>
    ((await (await fetch(two.at('/oauth2/certs'))).json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  assert.equal((await kids()).length, 1);
  const at = performance.now();
  const { kid } = await rotateKeys(one.issuer, { now: true, reason: 'a test', by: 'test' });
  while (!(await kids()).includes(kid)) assert.ok(performance.now() - at < 5_000, 'published');
  const published = (await one.issuer.keys()).find((key) => key.kid === kid);
  assert.ok(published?.publishedAt !== undefined);
});

test('while the database is away clients are told to come back, keys are served as they were, and /readyz says no', async () => {
  const own = await startPostgres();
  let passed = 0;
  const clock = { ...realClock, monotonic: () => mono(realClock.monotonic() + passed) };
  const world = { ...realWorld(), clock };
  await using bed = await serverBed({ ...storeAt(await own.database('away')), world, url, chain: 'one' });
  const client = await bed.client();
  assert.equal((await ask(bed, client)).status, 200);
  const before = await (await fetch(bed.at('/oauth2/certs'))).text();
  await own.stop();
  // What is remembered is older than the second it is good for.
  passed = 2_000;
  const { status, headers, body } = await ask(bed, client);
  assert.deepEqual([status, body['error'], headers.get('retry-after')], [503, 'temporarily_unavailable', '2']);
  const keys = await fetch(bed.at('/oauth2/certs'));
  assert.deepEqual([keys.status, await keys.text()], [200, before]);
  assert.equal((await fetch(`${bed.origin}/readyz`)).status, 503);
  assert.equal((await fetch(`${bed.origin}/healthz`)).status, 200);
});
