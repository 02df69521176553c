import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

/** The launchers alone, on a machine whose own Node says that it is of this version. */
function installedBeside(t: TestContext, version: string): string {
  const place = mkdtempSync(join(tmpdir(), 'tokeep-launcher-'));
  t.after(() => rmSync(place, { recursive: true }));
  cpSync('bin', join(place, 'bin'), { recursive: true });
  writeFileSync(join(place, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  return place;
}

function start(place: string, name: string) {
  const env = { PATH: `${place}:/usr/bin:/bin` };
  const { status, stdout, stderr } = spawnSync(join(place, 'bin', name), [], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('with an older Node one sentence says what to do; the old names answer 1', (t) => {
  for (const version of ['v20.19.0', 'v24.10.9']) {
    const place = installedBeside(t, version);
    for (const [name, expected] of [
      ['tokeep', 3],
      ['osg-token-renewer', 1],
      ['osg-token-renewer-setup', 1],
    ] as const) {
      const { status, stdout, stderr } = start(place, name);
      assert.equal(status, expected, name);
      assert.match(stderr, new RegExp(`^tokeep: needs Node 24.11 or newer, found ${version} .*npm ci.*\n$`));
      assert.equal(stdout, '');
    }
  }
});

test('a Node that is new enough is taken', (t) => {
  for (const version of ['v24.11.0', 'v26.0.1']) {
    assert.deepEqual(start(installedBeside(t, version), 'tokeep'), { status: 0, stdout: `${version}\n`, stderr: '' });
  }
});
