import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const plugin = here('../../packaging/glideinwms/tokeep_ce_token.py');
const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 6))']).status === 0;

test('the plugin for frontends of GlideinWMS hands out, per entry, what tokeep keeps, and refuses what is unsafe or too short', async (t) => {
  if (!python) {
    t.diagnostic('not run: there is no python3 (3.6 or newer) here');
    return;
  }
  const cache = mkdtempSync(join(tmpdir(), 'glideinwms-'));
  t.after(() => rmSync(cache, { recursive: true }));
  const { promise, resolve } = Promise.withResolvers<{ failed: boolean; output: string }>();
  const env = { ...process.env, PYTHONPYCACHEPREFIX: cache, PYTHONDONTWRITEBYTECODE: '1' };
  execFile(
    'python3',
    ['-W', 'error', here('glideinwms_test.py'), plugin],
    { env, timeout: 60_000 },
    (error, _, stderr) => resolve({ failed: error !== null, output: stderr }),
  );
  const { failed, output } = await promise;
  assert.ok(!failed, output);
  assert.match(output, /Ran 1\d tests/);
});

test('the settings that come with the plugin are its own', () => {
  const settings = readFileSync(here('../../packaging/glideinwms/tokeep-ce-token.ini'), 'utf8');
  const keys = [...settings.matchAll(/^([a-z_]+) = /gm)].map(([, key]) => key);
  const defaults = /^DEFAULTS = \{(.*)\}$/m.exec(readFileSync(plugin, 'utf8'))?.[1] ?? '';
  assert.deepEqual(
    keys,
    [...defaults.matchAll(/"([a-z_]+)":/g)].map(([, key]) => key),
  );
});
