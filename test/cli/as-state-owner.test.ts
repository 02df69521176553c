import assert from 'node:assert/strict';
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { bench } from './setup-peer.ts';

const nobody = 65_534;

test('root works on the state of another user as that user, and leaves nothing of its own there', async (t) => {
  if (process.getuid?.() !== 0) return t.diagnostic('not root: nothing to give up');
  await using at = await bench();
  const config = await at.file('tokeep.yaml', 'accounts: {}\ntokens: {}\n', 0o644);
  await chmod(at.directory, 0o755);
  for (const place of ['etc', 'state']) {
    await mkdir(at.path(place), { mode: 0o700 });
    await chown(at.path(place), nobody, nobody);
  }
  const env = { CONFIGURATION_DIRECTORY: at.path('etc') };
  const ran = await at.run('main', ['--config', config, '--state', at.path('state'), 'status'], { env });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal((await stat(at.path('state/state.db'))).uid, nobody);
});

test("root rotates the key of another user's state as that user, who has to be able to write beside it", async (t) => {
  if (process.getuid?.() !== 0) return t.diagnostic('not root: nothing to give up');
  await using at = await bench();
  const config = await at.file('tokeep.yaml', 'accounts: {}\ntokens: {}\n', 0o644);
  await chmod(at.directory, 0o755);
  for (const place of ['etc', 'state']) {
    await mkdir(at.path(place), { mode: 0o755 });
    await chmod(at.path(place), place === 'etc' ? 0o755 : 0o700);
    await chown(at.path(place), nobody, nobody);
  }
  const env = { CONFIGURATION_DIRECTORY: at.path('etc') };
  const places = ['--config', config, '--state', at.path('state')];
  const made = await at.run('main', [...places, 'status'], { env });
  assert.equal(made.status, 0, made.stderr);
  const rotated = await at.run('main', [...places, 'seal', 'rotate'], { env });
  assert.equal(rotated.status, 0, rotated.stderr);
  await chown(at.path('etc'), 0, 0);
  const refused = await at.run('main', [...places, 'seal', 'rotate'], { env });
  assert.equal(refused.status, 3, refused.stderr);
  assert.match(refused.stderr, /etc/);
  t.diagnostic(refused.stderr.trim());
  assert.equal((await at.run('main', [...places, 'status'], { env })).status, 0, 'the old key still opens everything');
});
