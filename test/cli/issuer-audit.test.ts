import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { tokenStory } from '../../src/cli/issuer-audit-token.ts';
import { exit } from '../../src/fault/codes.ts';
import type { AuditLine } from '../../src/mint/audit.ts';
import type { IssuerSettings } from '../../src/mint/issuer.ts';
import { epoch } from '../../src/token/time.ts';

const main = join(import.meta.dirname, '../../src/cli/main.ts');

/** An issuer that has signed one token. */
function issuerOf(t: TestContext) {
  const base = mkdtempSync(join(tmpdir(), 'tokeep-audit-'));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const directories = { STATE_DIRECTORY: `${base}/state`, CONFIGURATION_DIRECTORY: `${base}/etc` };
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [main, 'issuer', ...words], {
      env: { PATH: process.env['PATH'], ...directories },
      encoding: 'utf8',
    });
  const audience = 'https://se.example.org';
  run(
    'init',
    '--issuer',
    'https://a.example.org',
    '--subject',
    'pilot',
    '--audience',
    audience,
    '--scope',
    'compute.read',
  );
  const signed = run('sign', '--subject', 'pilot', '--audience', audience, '--scope', 'compute.read', '--json');
  const jti = String(JSON.parse(signed.stdout).jti);
  const tamper = (sql: string) => {
    const database = new DatabaseSync(`${base}/state/issuers/default/issuer.db`);
    database.exec('DROP TRIGGER IF EXISTS issuer_audit_no_update; DROP TRIGGER IF EXISTS issuer_audit_no_delete');
    database.exec(sql);
    database.close();
  };
  return { run, jti, tamper };
}

test('what is told of a token comes with the word that the log is not whole', (t) => {
  const { run, jti, tamper } = issuerOf(t);
  tamper(`UPDATE issuer_audit SET line = replace(line, 'stdout', 'file:/x') WHERE jti = '${jti}'`);
  const { status, stdout, stderr } = run('audit', '--jti', jti);
  assert.match(stdout, /was signed at .*\nit went to file:\/x/s);
  assert.match(
    stderr,
    /the audit log of https:\/\/a\.example\.org is not whole: \S+, line 2: .* its hash does not fit/,
  );
  assert.equal(status, exit.internal);
});

test('a token is not called forged because its line was taken out of the log', (t) => {
  const { run, jti, tamper } = issuerOf(t);
  tamper(`DELETE FROM issuer_audit WHERE jti = '${jti}'; UPDATE issuer_audit SET hash = 'x'`);
  const { status, stdout, stderr } = run('audit', '--jti', jti);
  assert.match(stdout, /^the log has no token with the jti \S+, and is not whole: it may have been signed here/);
  assert.match(stderr, /is not whole/);
  assert.equal(status, exit.internal);
});

test('a line that cannot be told of does not hide that the log is broken, and a number that nobody wrote is no bug', (t) => {
  const { run, jti, tamper } = issuerOf(t);
  tamper(
    `UPDATE issuer_audit SET line = replace(line, '"deliveredTo":[', '"deliveredTo":5,"x":[') WHERE jti = '${jti}'`,
  );
  const { status, stderr } = run('audit', '--jti', jti);
  assert.match(stderr, /is not whole: \S+, line 2/);
  assert.equal(status, exit.internal);
  tamper(`UPDATE issuer_key SET last_expiry = 9223372036854775807`);
  assert.match(run('list').stderr, /issuer\.db holds a number that tokeep never wrote\n {2}something else wrote to it/);
});

test('a subject counts as suspended by the rule that suspends it: with stars, and blanks below them', () => {
  const issued = { subject: 'CN=Job 7', event: 'issued', at: epoch(0), expiresAt: epoch(9e12), by: 'sign', kid: 'k' };
  const story = (suspended: readonly string[], subject = issued.subject) =>
    tokenStory({
      jti: 'j',
      lines: [{ chain: 'a', seq: 1, hash: 'h', entry: { ...issued, subject } } as AuditLine],
      log: 'whole',
      keys: [],
      settings: { policy: { suspended } } as unknown as IssuerSettings,
      now: epoch(1),
    }).join('\n');
  for (const pattern of ['CN=Job 7', 'CN=*', '*']) assert.match(story([pattern]), /it is suspended already/);
  assert.match(story(['CN=Job']), /add "CN=Job 7" to "suspend"/);
  assert.match(story(['h*'], 'hashed:0123'), /add the subject of the token \(the log holds a hash of it\)/);
});
