import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openState } from '../../src/cli/open-state.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { AccountName } from '../../src/token/names.ts';
import { realWorld } from '../../src/world/real-world.ts';

test('scenario 14: a saved refresh token that is damaged is moved aside, and the log says so', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tokeep-state-'));
  const real = realWorld();
  const world = { ...real, env: { ...real.env, CONFIGURATION_DIRECTORY: join(dir, 'config') } };
  try {
    const stateDir = join(dir, 'state');
    await mkdir(join(stateDir, 'spool'), { recursive: true, mode: 0o700 });
    await writeFile(join(stateDir, 'spool', 'robot.successor'), 'torn', { mode: 0o600 });
    await writeFile(join(dir, 'tokeep.yaml'), 'accounts: {}\ntokens: {}\n');
    const said: string[] = [];
    const log = { event: (name: string, fields: object) => void said.push(`${name} ${JSON.stringify(fields)}`) };
    const { store, spool } = await openState(world, stateDir, await loadConfig(world, join(dir, 'tokeep.yaml')), log);
    assert.equal(await spool.pending('robot' as AccountName), undefined);
    await store.close();
    assert.match(said.join(), /successor-damaged .*account robot was damaged; it lies in .*robot\.damaged-/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
