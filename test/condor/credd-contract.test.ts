// The fake condor_credd is held to the contract with the least that could be called a credmon, so that what our own is held to is true.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type FoundCredential, openCredentialDirectory } from '../../src/condor/directory.ts';
import { parseRequestFile } from '../../src/condor/request-file.ts';
import { withSuccessor } from '../../src/condor/top-file.ts';
import type { UseTarget } from '../../src/config/config.ts';
import { useDeliverer } from '../../src/deliver/use-target.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { FakeCredd } from '../peers/fake-credd.ts';
import { creddContract } from './credd-contract.ts';
import { credentialDirectory, put } from './directory-place.ts';
import { fakeAccessPoint } from './fake-access-point.ts';

const world = realWorld();

/** Makes a token of every `.top` that has none, at each change and signal. */
async function leastCredmon(t: TestContext, path: string): Promise<void> {
  const directory = openCredentialDirectory(world, path, { specialNames: false });
  let serial = 0;
  const make = async ({ credential: { user, name }, top, hasUse }: FoundCredential) => {
    if (hasUse || top.kind === 'unreadable') return;
    if (top.kind === 'oauth2') {
      if (top.refreshToken.reveal().startsWith('nobody')) return;
      const file = `${path}/${user}/${name}.top`;
      const next = new Secret('refresh_token', `next-${++serial}`);
      put(path, user, `${name}.top`, withSuccessor(readFileSync(file, 'utf8'), next));
    }
    const claims = Buffer.from(JSON.stringify({ sub: user, jti: ++serial, exp: 4_102_444_800 })).toString('base64url');
    const target: UseTarget = { kind: 'use', id: '', directory: path, user, name, form: 'json', mode: 0o400 };
    await useDeliverer.deliver(target, new Secret('access_token', `eyJhbGciOiJub25lIn0.${claims}.`), world);
  };
  const lookAt = async (users: Iterable<string>) => {
    for (const user of users) for (const each of await directory.scanUser(user)) await make(each);
  };
  let work = Promise.resolve();
  const watch = await directory.watch(({ users }) => {
    work = work.then(() => lookAt(users)).catch(() => {});
  });
  const settle = () => void directory.settle();
  process.on('SIGHUP', settle);
  t.after(async () => {
    process.off('SIGHUP', settle);
    await watch[Symbol.asyncDispose]();
    await work;
  });
  await directory.begin(process.pid);
}

for (const version of ['23.9.6', 'main'] as const) {
  test(`the contract holds for the condor_credd of ${version}`, async (t) => {
    const directory = credentialDirectory(t);
    await leastCredmon(t, directory);
    writeFileSync(`${directory}/secret`, 's3cret\nignored');
    const point = fakeAccessPoint({
      directory,
      version,
      knobs: { mytok_CLIENT_ID: 'c', mytok_CLIENT_SECRET_FILE: `${directory}/secret` },
      local: 'scitokens',
      oauth2: 'mytok',
      refreshTokens: Array.from(
        { length: 20 },
        (_, n) => `good-${n}-${createHash('sha256').update(`${n}`).digest('hex')}`,
      ),
    });
    for (const { name, holds } of creddContract) await t.test(name, () => holds(point));
  });
}

/** A condor_credd without a credmon, and what it would signal. */
function alone(t: TestContext, knobs: Readonly<Record<string, string>> = {}, version: '23.9.6' | 'main' = 'main') {
  const directory = credentialDirectory(t);
  const signals: number[] = [];
  const kill = t.mock.method(process, 'kill', (pid: number) => {
    signals.push(pid);
    return true;
  });
  t.after(() => kill.mock.restore());
  writeFileSync(`${directory}/pid`, '1001');
  let now = 0;
  const credd = new FakeCredd({ directory, version, knobs, pollEvery: 1, now: () => now });
  return { directory, credd, signals, at: (time: number) => (now = time) };
}

test('the pid is remembered for 20 s, whatever the file says meanwhile', async (t) => {
  const { directory, credd, signals, at } = alone(t);
  await credd.add('alice', { service: 'scitokens' }, 'alice');
  writeFileSync(`${directory}/pid`, '1002');
  at(20_000);
  await credd.add('alice', { service: 'scitokens' }, 'alice');
  at(20_001);
  await credd.add('alice', { service: 'scitokens' }, 'alice');
  assert.deepEqual(signals, [1001, 1001, 1002]);
});

test('there is a signal only where there is no .use yet, and the wait for it ends after the last try', async (t) => {
  const { directory, credd, signals } = alone(t, { CREDD_POLLING_TIMEOUT: '0.1' });
  assert.equal(await credd.add('alice', { service: 'scitokens' }, 'x', { wait: true }), 'credmon-timeout');
  writeFileSync(`${directory}/alice/scitokens.use`, '{}');
  utimesSync(`${directory}/alice/scitokens.use`, 1234, 1234);
  assert.equal(await credd.add('alice', { service: 'scitokens' }, 'x', { wait: true }), 1234);
  assert.equal(signals.length, 1);
});

test('main puts what nobody keeps fresh into .use, 23.9.6 everything into .top', async (t) => {
  for (const [version, file] of [
    ['main', 'stray.use'],
    ['23.9.6', 'stray.top'],
  ] as const) {
    const { directory, credd } = alone(t, {}, version);
    await credd.add('alice', { service: 'stray' }, '{"access_token":"t"}');
    assert.equal(readFileSync(`${directory}/alice/${file}`, 'utf8'), '{"access_token":"t"}');
  }
});

test('main sorts providers as HTCondor does, and says what is wrong with each kind', async (t) => {
  const { credd } = alone(t, {
    CLIENT_CREDMON_PROVIDER_NAMES: 'robot',
    SEC_CREDENTIAL_STORER: '/usr/bin/condor_vault_storer',
    mytok_CLIENT_ID: 'c',
    TRUSTED_VAULT_HOSTS: 'vault.example',
  });
  assert.match(
    await credd.check('alice', [{ service: 'scitokens', handle: 'h' }]),
    /Local Issuer .* can't have a handle/,
  );
  assert.match(await credd.check('alice', [{ service: 'robot', scopes: 's' }]), /can't have user-provided scope/);
  assert.match(await credd.check('alice', [{ service: 'other' }]), /Vault credential 'other' is missing/);
  assert.match(await credd.check('alice', [{ service: 'mytok' }]), /mytok_CLIENT_SECRET_FILE is not configured/);
  const vault = (host: string) => credd.add('alice', { service: 'v' }, `{"vault_url":"https://${host}:8200/v1/x"}`);
  assert.equal(await vault('evil.example'), 'untrusted-host');
  assert.equal(await vault('vault.example'), 'pending');
});

test('a request file of the fake is one that can be read, with the secret up to its line end', async (t) => {
  const directory = credentialDirectory(t);
  const secretFile = `${directory}/secret`;
  writeFileSync(secretFile, 's3cret\r\nmore');
  const knobs = { t_CLIENT_ID: 'c', t_CLIENT_SECRET_FILE: secretFile, t_RETURN_URL_SUFFIX: '/return/t' };
  const credd = new FakeCredd({ directory, version: '23.9.6', knobs });
  const link = await credd.check('alice', [{ service: 't', handle: 'h', scopes: 'a"b' }]);
  const file = parseRequestFile(readFileSync(`${directory}/${link.split('/key/')[1]}`));
  assert.equal(file.kind, 'requests');
  const [request] = file.requests;
  assert.deepEqual([request?.clientSecret.reveal(), request?.scopes], ['s3cret', 'a"b']);
  assert.equal(request?.returnUrl, 'https://ap.example.org/return/t');
});

test('only what was marked long enough ago is swept, and a user whose name ends in .mark is not', async (t) => {
  const { directory, credd, at } = alone(t);
  put(directory, 'alice', 'a.top', 'x');
  put(directory, 'bob.mark', 'a.top', 'x');
  put(directory, 'bob', 'a.top', 'x');
  credd.files.mark('alice');
  at(Date.now() + 3_500_000);
  credd.files.sweep();
  assert.equal(credd.files.read('alice', 'a.top'), 'x');
  at(Date.now() + 3_700_000);
  credd.files.sweep();
  assert.equal(credd.files.read('alice', 'a.top'), undefined);
  assert.equal(credd.files.read('bob', 'a.top'), 'x');
  rmSync(`${directory}/bob`, { recursive: true });
});
