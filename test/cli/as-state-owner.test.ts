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
