import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { Fault } from '../../src/fault/fault.ts';
import { openStore } from '../../src/store/open-store.ts';
import { PostgresDatabase } from '../../src/store/postgres-database.ts';
import { postgresPlace } from '../../src/store/postgres-url.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { account, accountName, at, freshDirectory, refreshToken, sealer, seed } from './samples.ts';

const world = realWorld();
let postgres: RunningPostgres;
let url: string;
let asOperator: pg.Client;

before(async () => {
  postgres = await startPostgres();
  url = await postgres.database('records');
  const place = postgresPlace(url);
  asOperator = new pg.Client({ host: place.host, database: place.database, user: String(place.user) });
  await asOperator.connect();
});
after(async () => {
  await asOperator.end();
  await postgres.stop();
});

const open = (node: string) =>
  openStore(world, { stateDir: freshDirectory(), choice: { kind: 'postgres', url }, sealer, node });
const isFault = (code: string) => (thrown: unknown) => thrown instanceof Fault && thrown.code === code;

test('scenario 32: who was away longer than its lease is told before it spends, and cannot take the lock back', async () => {
  const [a, b] = [await open('a'), await open('b')];
  const mine = await a.lockAccount(accountName('acc'), AbortSignal.timeout(5_000));
  assert.equal(await mine.stillOurs(), true);
  await asOperator.query('UPDATE lease SET until = 1');
  const theirs = await b.lockAccount(accountName('acc'), AbortSignal.timeout(5_000));
  assert.equal(await mine.stillOurs(), false);
  assert.equal(await theirs.stillOurs(), true);
  await mine.release();
  assert.equal(await theirs.stillOurs(), true);
  await theirs.release();
  await a.close();
  await b.close();
});

test('nothing is held in the database while a lock is: no session lock, no open transaction', async () => {
  const a = await open('a');
  const lock = await a.lockAccount(accountName('held'), AbortSignal.timeout(5_000));
  const { rows } = await asOperator.query(
    `SELECT (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS advisory,
       (SELECT count(*)::int FROM pg_stat_activity WHERE state LIKE 'idle in transaction%') AS waiting`,
  );
  assert.deepEqual({ ...rows[0] }, { advisory: 0, waiting: 0 });
  await lock.release();
  await a.close();
});

test('connections that are cut are replaced: the next call works', async () => {
  const a = await open('a');
  await a.register([seed('w')], at);
  const cut = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'tokeep'`;
  await asOperator.query(cut);
  const first = await a.wishes().catch((thrown: unknown) => thrown);
  assert.ok(Array.isArray(first) || first instanceof Fault);
  assert.equal((await a.wishes()).length, 1);
  await a.close();
});

test('scenario 13: a damaged account goes back one generation here too', async () => {
  const a = await open('a');
  await a.saveAccount(account('acc'), { credential: refreshToken('old') });
  await a.saveAccount(account('acc', 2), { credential: refreshToken('new') });
  await asOperator.query(`UPDATE account SET doc = '{' WHERE name = 'acc'`);
  assert.equal((await a.account(accountName('acc')))?.intent?.outcome, 'unknown');
  assert.equal((await a.secrets(accountName('acc'))).credential?.reveal(), 'old');
  assert.equal((await a.findings()).length, 1);
  await a.close();
});

test('a database that is not there is a sentence with its host, and without user or password', async () => {
  const choice = { kind: 'postgres', url: 'postgres://canary-user:canary-pw@127.0.0.1:1/db' } as const;
  await assert.rejects(openStore(world, { stateDir: freshDirectory(), choice, sealer, node: 'a' }), (thrown) => {
    assert.ok(isFault('state-write-failed')(thrown));
    const fault = thrown as Fault;
    assert.match(fault.message, /PostgreSQL at 127\.0\.0\.1, database db .*ECONNREFUSED/);
    assert.ok(!`${fault.stack} ${String(fault.cause)}`.includes('canary'));
    return true;
  });
});

test('TLS is left out for loopback and Unix sockets only, whatever the address says', () => {
  for (const [text, local] of [
    ['postgres://u:p@localhost/db', true],
    ['postgres://u:p@127.0.0.1:5433/db', true],
    ['postgres://u@[::1]/db', true],
    ['postgres:///db?host=/run/postgresql&user=u', true],
    ['postgres://u:p@db.example/db?sslmode=disable', false],
    ['postgresql://u:p@localhost.example/db', false],
    ['postgres://u:p@127.0.0.1.example/db', false],
  ] as const) {
    assert.equal(postgresPlace(text).local, local, text);
  }
  assert.deepEqual(postgresPlace('postgres://a%40b:p%2Fw@h.example:6000/d'), {
    host: 'h.example',
    port: 6000,
    database: 'd',
    user: 'a@b',
    password: 'p/w',
    local: false,
  });
  for (const text of ['mysql://h/db', 'h.example', 'postgres:///db']) {
    assert.throws(() => postgresPlace(text), isFault('config-invalid'), text);
  }
});

test('a transaction that PostgreSQL gave up is not taken for one that was committed, even if the work went on', async () => {
  const database = new PostgresDatabase(postgresPlace(url), undefined);
  const goingOn = database.write(async (session) => {
    await session.rows('SELECT 1 / 0').catch(() => {});
    return 'done';
  });
  await assert.rejects(goingOn, isFault('state-write-failed'));
  assert.equal(await database.write(async () => 'done'), 'done');
  await database.close();
});
