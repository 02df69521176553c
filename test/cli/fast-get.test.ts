import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { noteSeen } from '../../src/cli/config-seen.ts';
import { fastGet } from '../../src/cli/fast-get.ts';
import { readConfig } from '../../src/cli/read-config.ts';
import { openStore } from '../../src/store/open-store.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import type { WishName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';

const text = `accounts:
  robot: { issuer: 'https://127.0.0.1:1/', grant: client_credentials, client_id: me, client_secret: { file: /nowhere } }
tokens:
  monitoring: { account: robot }
`;

/** A state that has taken the configuration in, with a token of the wish that lives for so many seconds. */
async function kept(context: TestContext, seconds: number) {
  const home = mkdtempSync(join(tmpdir(), 'tokeep-get-'));
  context.after(() => rmSync(home, { recursive: true, force: true }));
  const [file, state] = [join(home, 'c.yaml'), join(home, 'state')];
  writeFileSync(file, text);
  const old = new Date(Date.now() - 60_000);
  utimesSync(file, old, old);
  const env = { HOME: home, CONFIGURATION_DIRECTORY: home };
  const world = { ...realWorld(), env };
  const { config, trace } = await readConfig(world, file);
  const sealer = await openSealer(world, { keyFile: join(home, 'seal.key') });
  const store = await openStore(world, { stateDir: state, choice: { kind: 'sqlite' }, sealer, node: 'here' });
  const now = epoch(Date.now());
  await store.register([...config.wishes.values()], now);
  const [claim] = await store.claim({ now, limit: 1, node: 'here', lease: 1000 as never });
  assert.ok(claim);
  const facts = { fingerprint: 'f', audience: [], scope: [], issuedAt: now, expiresAt: epoch(now + seconds * 1000) };
  await store.settle({ ...claim, token: { ...facts, lifeFrom: 'exp' } }, new Secret('access_token', 'the-token'));
  await store.close();
  await noteSeen(world, state, file, trace);
  const ask = (...more: string[]) => fastGet(['get', 'monitoring', '--config', file, '--state', state, ...more], env);
  return { file, state, env, ask, wish: 'monitoring' as WishName };
}

test('a fresh token of an unchanged configuration comes the quick way', async (context) => {
  const { ask } = await kept(context, 3600);
  assert.equal((await ask())?.reveal(), 'the-token');
  assert.equal((await ask('--min-lifetime', '50m'))?.reveal(), 'the-token');
});

test('the whole way is gone when too little is left, for every other form of get, and when the state is not ours alone', async (context) => {
  const { ask, state } = await kept(context, 90);
  assert.ok(await ask());
  assert.equal(await ask('--min-lifetime', '2m'), undefined);
  for (const other of ['--json', '--scope', '--verbose', 'another']) assert.equal(await ask(other), undefined);
  chmodSync(state, 0o755);
  assert.equal(await ask(), undefined);
});

test('a configuration that was touched is read again, whatever its size and time of change say', async (context) => {
  const { ask, file } = await kept(context, 3600);
  const before = statSync(file);
  writeFileSync(file, text.replace('monitoring', 'monitorinG'));
  utimesSync(file, before.atime, before.mtime);
  assert.equal(await ask(), undefined);
});
