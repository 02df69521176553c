import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type AllGrants, allGrants, signed, wishNames } from './all-grants.ts';
import { assertNoTrace } from './house.ts';

let all: AllGrants;
before(async () => {
  all = await allGrants();
});
after(() => all[Symbol.asyncDispose]());

async function tokeep(...args: readonly string[]) {
  const ran = await all.house.run(args);
  assertNoTrace(ran.stderr);
  return ran;
}

async function ok(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tokeep(...args);
  assert.equal(status, 0, stderr + stdout);
  return stdout;
}

/** The token of each wish as it lies at its target. */
async function delivered(): Promise<ReadonlyMap<string, string>> {
  const fileOf = (name: string) => ({ post: 'by-by-stdin', key: 'by-by-file' })[name] ?? name;
  const tokens = wishNames.map(async (name) => [name, await all.house.read(`out/${fileOf(name)}.token`)] as const);
  return new Map(await Promise.all(tokens));
}

interface Pass {
  readonly looked: number;
  readonly due: number;
  readonly renewed: number;
}

test('every grant and every way to prove a client, from the check of the configuration to the end of a login', async (t) => {
  const count = wishNames.length;
  let first: ReadonlyMap<string, string>;

  await t.test('the configuration is good, and each issuer says so', async () => {
    await ok('config', 'check', '--online');
    const shown = await ok('config', 'show');
    assert.ok(!shown.includes(all.canary), 'a secret is shown');
  });

  await t.test('one pass renews and delivers everything; what the issuer signed verifies', async () => {
    const pass = JSON.parse(await ok('renew', '--json')) as Pass;
    assert.deepEqual([pass.looked, pass.due, pass.renewed], [count, count, count]);
    first = await delivered();
    for (const name of signed) assert.ok((await all.verify(first.get(name) ?? '')).exp, name);
    const audienceOf = async (name: string) => (await all.verify(first.get(name) ?? '')).aud;
    assert.equal(await audienceOf('row-a'), 'batch.example');
    assert.equal(await audienceOf('exchanged'), 'batch.example');
    assert.equal(await audienceOf('post'), 'https://storage.example');
    assert.equal((await all.verify(first.get('basic') ?? ''))['scope'], 'storage.read:/ compute.read');
    assert.match(first.get('narrow') ?? '', /^at-\d+-for-storage\.read:\/$/m);
  });

  await t.test('files have the modes of their targets, and discovery finds its token', async () => {
    assert.equal((await stat(all.house.path('out/basic.token'))).mode & 0o777, 0o640);
    assert.equal((await stat(all.house.path('out/code.token'))).mode & 0o777, 0o600);
    assert.equal((await stat(all.discovered)).mode & 0o777, 0o600);
    assert.equal((await readFile(all.discovered, 'utf8')).trim(), first.get('device')?.trim());
  });

  await t.test('a second pass does nothing', async () => {
    const pass = JSON.parse(await ok('renew', '--json')) as Pass;
    assert.deepEqual([pass.looked, pass.due, pass.renewed], [count, 0, 0]);
    assert.deepEqual(await delivered(), first);
  });

  await t.test('with --force everything is new', async () => {
    const pass = JSON.parse(await ok('renew', '--force', '--json')) as Pass;
    assert.deepEqual([pass.due, pass.renewed], [count, count]);
    const second = await delivered();
    // A vault hands out the token it has while that lives long enough.
    for (const name of wishNames.filter((one) => one !== 'vault' && one !== 'narrow'))
      assert.notEqual(second.get(name), first.get(name), name);
  });

  await t.test('status finds nothing wrong, in all its forms', async () => {
    const report = JSON.parse(await ok('status', '--json'));
    assert.equal(report.wishes.length, count);
    assert.match(await ok('status', '--nagios'), /^TOKEEP OK/i);
    assert.match(await ok('status', '--all'), /exchanged/);
  });

  await t.test('get gives the kept token, and narrower ones where the grant can', async () => {
    assert.equal((await ok('get', 'basic')).trim(), (await all.house.read('out/basic.token')).trim());
    const other = await all.verify(await ok('get', 'basic', '--audience', 'batch.example'));
    assert.equal(other.aud, 'batch.example');
    const narrow = await all.verify(await ok('get', 'device', '--scope', 'compute.read'));
    assert.equal(narrow['scope'], 'compute.read');
  });

  await t.test('a login that is revoked is gone here and at the issuer; the others go on', async () => {
    const accounts = JSON.parse(await ok('account', 'list', '--json')) as { name: string; login: string }[];
    const logins = Object.fromEntries(accounts.map(({ name, login }) => [name, login]));
    for (const name of ['device', 'code', 'taken', 'imported']) assert.equal(logins[name], 'ready', name);
    assert.equal(logins['basic'], 'not needed');
    await ok('account', 'revoke', 'device');
    const pass = await tokeep('renew', '--force', 'device', 'code');
    assert.equal(pass.status, 5, pass.stderr);
    assert.match(pass.stderr, /device.*log|log.*device/s);
    await ok('renew', '--force', 'code');
  });
});
