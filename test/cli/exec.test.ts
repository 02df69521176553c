import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { robot, startIssuer, wlcgAny } from '../peers/start-issuer.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

/** A home with one token whose issuer is real, and `tokeep` in it. */
async function home(t: TestContext, accessTokenLife: number) {
  const issuer = await startIssuer({ accessTokenLife });
  t.after(() => issuer.stop());
  const place = mkdtempSync(join(tmpdir(), 'tokeep-exec-'));
  t.after(() => rmSync(place, { recursive: true }));
  for (const name of ['runtime', 'targets']) mkdirSync(join(place, name), { mode: 0o700 });
  writeFileSync(join(place, 'secret'), `${robot.client_secret}\n`, { mode: 0o600 });
  writeFileSync(
    join(place, 'config.yaml'),
    `accounts:
  robot:
    issuer: ${issuer.issuer}
    grant: client_credentials
    client_id: ${robot.client_id}
    client_secret: { file: ${place}/secret }
tokens:
  storage:
    account: robot
    scope: ['storage.read:/']
    audience: ${wlcgAny}
    deliver: [{ file: ${place}/targets/storage.token }]
`,
  );
  const env = {
    HOME: place,
    PATH: '/usr/bin:/bin',
    SHELL: '/bin/sh',
    XDG_RUNTIME_DIR: join(place, 'runtime'),
    XDG_CONFIG_HOME: join(place, 'config'),
    // Else root's sealing key would be that of this machine.
    CONFIGURATION_DIRECTORY: join(place, 'config', 'tokeep'),
    BEARER_TOKEN: 'must-not-be-seen',
  };
  const start = (...args: readonly string[]) => {
    const globals = ['--config', join(place, 'config.yaml'), '--state', join(place, 'state')];
    const child = spawn(process.execPath, [main, ...globals, ...args], { env, stdio: 'pipe' });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (part) => {
      stdout += part;
    });
    child.stderr.on('data', (part) => {
      stderr += part;
    });
    const end = once(child, 'close').then(([status, signal]) => ({ status, signal, stdout, stderr }));
    return { child, end };
  };
  return { place, start, left: () => readdirSync(join(place, 'runtime')) };
}

test('exec gives a command a token that it can read, its exit status is ours, and nothing is left', async (t) => {
  const { start, left } = await home(t, 3600);
  const script = 'test -z "$BEARER_TOKEN" && stat -c %a "$BEARER_TOKEN_FILE" && cat "$BEARER_TOKEN_FILE"; exit 9';
  const { status, stdout, stderr } = await start('exec', 'storage', '--', 'sh', '-c', script).end;
  assert.equal(status, 9, stderr);
  assert.match(stdout, /^600\neyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.deepEqual(left(), []);
});

test('exec replaces a token of a few seconds while the command runs', async (t) => {
  const { start, left } = await home(t, 6);
  const script =
    'a=$(cat "$BEARER_TOKEN_FILE"); while [ "$a" = "$(cat "$BEARER_TOKEN_FILE")" ]; do sleep 0.1; done; echo new';
  const { status, stdout, stderr } = await start('exec', '--min-lifetime', '3s', '--', 'sh', '-c', script).end;
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'new\n');
  assert.deepEqual(left(), []);
});

test('shell starts the shell of the environment; SIGTERM to us ends the command first, and nothing is left', async (t) => {
  const { start, left } = await home(t, 3600);
  const { child, end } = start('shell', 'storage');
  child.stdin.write("trap 'kill $!; exit 5' TERM; tail -f /dev/null >/dev/null 2>&1 & echo ready; wait\n");
  await once(child.stdout, 'data');
  assert.equal(left().length, 1);
  child.kill('SIGTERM');
  const { status, stderr } = await end;
  assert.equal(status, 5, stderr);
  assert.deepEqual(left(), []);
});

test('a command that is not there gives 127, and one that cannot be run 126, as env(1) has it', async (t) => {
  const { place, start, left } = await home(t, 3600);
  const unknown = await start('exec', 'storage', '--', 'no-such-command').end;
  assert.equal(unknown.status, 127, unknown.stderr);
  assert.match(unknown.stderr, /no-such-command could not be started: there is no such command\n$/);
  const plain = await start('exec', 'storage', '--', join(place, 'secret')).end;
  assert.equal(plain.status, 126, plain.stderr);
  assert.match(plain.stderr, /could not be started: it is not executable/);
  assert.deepEqual(left(), []);
});
