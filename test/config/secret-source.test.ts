import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { readSecret } from '../../src/config/secret-source.ts';
import type { Fault } from '../../src/fault/fault.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp('/tmp/tokeep-secret-');
});
after(() => rm(directory, { recursive: true }));

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = `${directory}/${name}`;
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}
const world = realWorld();

test('the first line of a file is the secret, without its line end', async () => {
  for (const text of ['s3cret', 's3cret\n', 's3cret\r\n', 's3cret\nsecond line\n']) {
    const path = await file('a', text);
    assert.equal((await readSecret(world, { kind: 'file', path }, 'client_secret')).reveal(), 's3cret');
  }
  const spaced = await file('b', ' with blanks \n');
  assert.equal((await readSecret(world, { kind: 'file', path: spaced }, 'password')).reveal(), ' with blanks ');
});

test('a client secret ends at the first control character, as condor_credd takes it', async () => {
  const path = await file('tab', 's3cret\tof the access point\n');
  assert.equal((await readSecret(world, { kind: 'file', path }, 'client_secret')).reveal(), 's3cret');
  const other = await file('tab2', 'pass\tword\n');
  assert.equal((await readSecret(world, { kind: 'file', path: other }, 'password')).reveal(), 'pass\tword');
});

test('a private key is the whole file', async () => {
  const path = await file('key', '-----BEGIN\nx\n-----END\n', 0o640);
  assert.equal((await readSecret(world, { kind: 'file', path }, 'private_key')).reveal(), '-----BEGIN\nx\n-----END\n');
});

test('a secret file that is open to everybody is refused, with the command that closes it', async () => {
  const path = await file('open', 'canary\n', 0o644);
  await assert.rejects(readSecret(world, { kind: 'file', path }, 'password'), (fault: Fault) => {
    assert.equal(fault.code, 'secret-unreadable');
    assert.equal(fault.message, `the secret file ${path} is open to everybody (mode 0644)`);
    assert.equal(fault.hint, `chmod o= ${path}`);
    return true;
  });
});

test('a file that is missing, empty, too large or no file is named', async () => {
  const said = async (path: string, sentence: RegExp) =>
    assert.rejects(readSecret(world, { kind: 'file', path }, 'password'), sentence);
  await said(`${directory}/none`, /none does not exist$/);
  await said(await file('empty', '\nnot the first line'), /empty is empty$/);
  await said(await file('large', 'x'.repeat(70_000)), /large is larger than 65536 bytes$/);
  await said(directory, /is not a file$/);
});

test('a text of a JSON file is the secret, and nothing else of it, never through a link', async () => {
  const memberOf = async (path: string, member = 'vault_token') =>
    await readSecret(world, { kind: 'file', path, member }, 'vault_token');
  const path = await file('alice.top', JSON.stringify({ vault_token: 'hvs.canary', vault_url: 'https://v' }), 0o400);
  assert.equal((await memberOf(path)).reveal(), 'hvs.canary');
  const lines = /has no "vault_token" that is a text of one line$/;
  for (const odd of ['{}', '[]', 'null', '"vault_token"', '{"vault_token":7}', '{"vault_token":""}']) {
    await assert.rejects(memberOf(await file('odd.top', odd)), lines, odd);
  }
  await assert.rejects(memberOf(await file('lines.top', '{"vault_token":"a\\nX-Other: b"}')), lines);
  assert.equal((await memberOf(await file('bare.top', 'eyJ0.canary\n'))).reveal(), 'eyJ0.canary', 'the secret alone');
  await assert.rejects(memberOf(await file('nothing.top', '')), lines);
  await assert.rejects(memberOf(path, 'toString'), /has no "toString"/);
  await assert.rejects(memberOf(await file('broken.top', '{"vault_token":"canary')), (fault: Fault) => {
    assert.match(fault.message, /broken\.top is not JSON$/);
    return !/canary/.test(fault.message);
  });
  await assert.rejects(memberOf(await file('wide.top', '{}', 0o644)), /open to everybody/);
  await assert.rejects(memberOf(`${directory}/none.top`), /none\.top does not exist$/);
  await symlink(path, `${directory}/link.top`);
  await assert.rejects(memberOf(`${directory}/link.top`), /has a link in it, which is not followed$/);
});

test('a systemd credential is read from the directory of the service', async () => {
  await file('cred', 'from systemd\n', 0o444);
  const service = { ...world, env: { CREDENTIALS_DIRECTORY: directory } };
  assert.equal((await readSecret(service, { kind: 'credential', name: 'cred' }, 'password')).reveal(), 'from systemd');
  await assert.rejects(
    readSecret(service, { kind: 'credential', name: '../cred' }, 'password'),
    /not the name of a systemd credential/,
  );
  await assert.rejects(
    readSecret({ ...world, env: {} }, { kind: 'credential', name: 'cred' }, 'password'),
    /was not started with credentials/,
  );
});

test('a command prints the secret', async () => {
  const ref = { kind: 'command', argv: ['/bin/echo', 'from a command'] } as const;
  assert.equal((await readSecret(world, ref, 'password')).reveal(), 'from a command');
});

test('a secret that stood in an ini is handed over as it is', async () => {
  const secret = new Secret('client_secret', 'x y ');
  assert.equal((await readSecret(world, { kind: 'inline', secret }, 'client_secret')).reveal(), 'x y ');
});
