import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createIssuer, deps, freshDirectory, newIssuer, request, stoppedWorld } from './issuer-bed.ts';
import { issuerContract } from './issuer-contract.ts';

issuerContract('an issuer in SQLite', stoppedWorld(), async () => ({
  store: async () => ({ kind: 'sqlite' }),
  async tamper({ directory }, sql) {
    const database = new DatabaseSync(`${directory}/issuer.db`);
    database.exec('DROP TRIGGER IF EXISTS issuer_audit_no_update; DROP TRIGGER IF EXISTS issuer_audit_no_delete');
    database.exec(sql);
    database.close();
  },
  stop: async () => {},
}));

test('SQLite itself refuses to change or delete a line of the audit log', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(stoppedWorld(), directory, newIssuer(), deps);
  await issuer.mint(request());
  const database = new DatabaseSync(`${directory}/issuer.db`);
  assert.throws(() => database.exec(`UPDATE issuer_audit SET at = 0`), /only ever added to/);
  assert.throws(() => database.exec(`DELETE FROM issuer_audit`), /only ever added to/);
  database.close();
  assert.equal((await issuer.audit.verify()).kind, 'whole');
  await issuer.close();
});
