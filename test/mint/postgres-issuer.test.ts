import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import type { OpenIssuer } from '../../src/mint/issuer.ts';
import { grantStatements } from '../../src/mint/issuer-schema.ts';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import {
  createIssuer,
  deps,
  freshDirectory,
  isFault,
  newIssuer,
  openIssuer,
  request,
  stoppedWorld,
} from './issuer-bed.ts';
import { issuerContract } from './issuer-contract.ts';

let postgres: RunningPostgres;
let count = 0;
before(async () => {
  postgres = await startPostgres();
});
after(async () => postgres.stop());

async function freshDatabase(): Promise<{ readonly url: string; readonly file: string }> {
  count += 1;
  const url = await postgres.database(`issuer_${count}`);
  return { url, file: inFile(url) };
}

/** The address goes by reference, since it may hold a password. */
function inFile(url: string): string {
  const file = `${dirname(freshDirectory())}/postgres-url`;
  writeFileSync(file, `${url}\n`, { mode: 0o600 });
  return file;
}

const addressOf = ({ settings: { store } }: OpenIssuer) =>
  [...known].find(([file]) => store.kind === 'postgres' && store.url.kind === 'file' && store.url.path === file)?.[1];
const known = new Map<string, string>();

async function run(url: string | undefined, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: String(url) });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}

issuerContract('an issuer in PostgreSQL', stoppedWorld(), async () => ({
  async store() {
    const { url, file } = await freshDatabase();
    known.set(file, url);
    return { kind: 'postgres', url: { kind: 'file', path: file } };
  },
  tamper: (issuer, sql) => run(addressOf(issuer), sql),
  stop: async () => {},
}));

test("a server's role signs, and can neither change nor delete a line of the audit log", async () => {
  const world = stoppedWorld();
  const { url, file } = await freshDatabase();
  const directory = freshDirectory();
  const store = { kind: 'postgres', url: { kind: 'file', path: file } } as const;
  const owner = await createIssuer(world, directory, newIssuer({ store }), deps);
  await run(url, 'CREATE TABLE family (id TEXT)', 'CREATE ROLE server LOGIN', ...grantStatements('server', ['family']));
  const asServer = url.replace('user=tokeep', 'user=server');
  writeFileSync(file, asServer);
  const server = await openIssuer(world, directory, { ...deps, chain: 'node1' });
  await server.mint(request());
  await assert.rejects(run(asServer, 'UPDATE issuer_audit SET at = 0'), /permission denied/);
  await assert.rejects(run(asServer, 'DELETE FROM issuer_audit'), /permission denied/);
  await assert.rejects(run(asServer, 'TRUNCATE issuer_audit'), /permission denied/);
  await run(asServer, `INSERT INTO family VALUES ('1')`, 'DELETE FROM family');
  assert.equal((await owner.audit.verify()).kind, 'whole');
  await server.close();
  await owner.close();
});

test('a database that went away gives no token, and is worked with again when it is back', async () => {
  const world = stoppedWorld();
  const { url, file } = await freshDatabase();
  const store = { kind: 'postgres', url: { kind: 'file', path: file } } as const;
  const issuer = await createIssuer(world, freshDirectory(), newIssuer({ store }), deps);
  await run(url, 'ALTER TABLE issuer_audit RENAME TO away');
  await assert.rejects(issuer.mint(request()), isFault('state-write-failed'));
  await run(url, 'ALTER TABLE away RENAME TO issuer_audit');
  await issuer.mint(request());
  assert.deepEqual(
    (await issuer.audit.lines({})).map(({ entry }) => entry.event),
    ['key-made', 'issued'],
  );
  await issuer.close();
});
