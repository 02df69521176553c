import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { minutes } from '../../src/token/time.ts';
import { startMytokenServer } from '../peers/mytoken-server.ts';
import { startVaultServer } from '../peers/vault-server.ts';
import { DrivenDaemon } from './driven-daemon.ts';
import { PacedClock } from './paced-clock.ts';
import { setting } from './setting.ts';

const wish = 'tokens:\n  monitoring: { account: robot, scope: [storage.read:/], deliver: [{ file: DIR/token }] }\n';

async function withSecret(text: string) {
  const dir = await mkdtemp(join(tmpdir(), 'tokeep-mediated-'));
  const write = (secret: string) => writeFile(join(dir, 'credential'), `${secret}\n`, { mode: 0o600 });
  await write(text);
  return { dir, write };
}

test('after a mytoken is refused, another one in its file is taken at the next try, and all is well', async () => {
  await using server = await startMytokenServer();
  const { dir, write } = await withSecret('not-a-mytoken-of-this-server');
  const account = `accounts:\n  robot: { grant: mytoken, server: ${server.issuer}, mytoken: { file: DIR/credential }, timeout: 2s }\n`;
  await using here = await setting({ dir, config: `${account}${wish}` });
  await here.pass();
  const refused = await here.account('robot');
  assert.notEqual(refused.login, 'ready');
  const { sentence, hint } = refused.trouble ?? {};
  assert.match(hint ?? '', new RegExp(`^put a new mytoken into ${dir}/credential, then run: tokeep renew`));
  assert.equal(sentence?.split('revoked').length, 2, sentence);
  await write(server.mint());
  await here.pass('forced');
  const { login, trouble } = await here.account('robot');
  assert.deepEqual([login, trouble], ['ready', null]);
  assert.ok(await here.delivered('token'));
});

test('a vault with a cache is asked for more than is left of the token at hand, and never for more than it can give', async () => {
  await using server = await startVaultServer();
  const { dir } = await withSecret('hvs.robot');
  const path = 'secret/oauth/creds/demo/robot:default';
  server.tokens.set('hvs.robot', { ttl: 86_400, creationTtl: 86_400, renewable: false, paths: ['secret/'] });
  server.store(path, 10_800);
  const clock = new PacedClock();
  const account = `accounts:\n  robot: { grant: vault, server: ${server.url}, secret_path: "${path}", vault_token: { file: DIR/credential }, timeout: 2s }\n`;
  await using here = await setting({
    dir,
    config: `${account}${wish.replace('[storage.read:/]', 'default')}`,
    world: { clock },
  });
  await here.pass();
  await here.pass('forced');
  await using daemon = new DrivenDaemon(here.engine, clock);
  await daemon.pass(minutes(125));
  const minimums = server.requests
    .filter((request) => request.includes('minimum_seconds'))
    .map((request) => Number(/minimum_seconds=(\d+)/.exec(request)?.[1]));
  assert.ok(minimums.length >= 2, String(server.requests));
  assert.ok((minimums[0] ?? 0) <= 9_720, 'right after the first: not more than it can give');
  assert.ok(
    (minimums.at(-1) ?? 0) > 3_600 && (minimums.at(-1) ?? 0) < 5_500,
    `half of the life and a minute: ${minimums}`,
  );
});

test('a refusal is noted for the account as it was asked for, so that nobody holds another credential for the refused one', async () => {
  await using server = await startVaultServer();
  const { dir } = await withSecret('hvs.unknown');
  const account = (path: string) =>
    `accounts:\n  robot: { grant: vault, server: ${server.url}, secret_path: "${path}", vault_token: { file: DIR/credential }, timeout: 2s }\n`;
  for (const path of ['secret/oauth/creds/demo/one:default', 'secret/oauth/creds/demo/other:default']) {
    const here = await setting({ dir, config: `${account(path)}${wish.replace('[storage.read:/]', 'default')}` });
    await here.pass('forced');
    const { login, fingerprint } = await here.account('robot');
    assert.deepEqual([login, fingerprint], ['suspended', here.config.accounts.get('robot' as never)?.fingerprint]);
    await here.close();
  }
});
