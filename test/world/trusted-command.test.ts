import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { after, before, test } from 'node:test';
import type { Fault } from '../../src/fault/fault.ts';
import { millis, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { runTrusted } from '../../src/world/trusted-command.ts';

const world = realWorld();
const timeout = seconds(20);
/** Below the home directory: /tmp itself is a directory that others can write to, and so is refused. */
let home: string;
before(async () => {
  home = await mkdtemp(`${homedir()}/.tokeep-trusted-`);
  await script(`${home}/good`, 'echo "good $1"');
});
after(() => rm(home, { recursive: true }));

async function script(path: string, body: string, mode = 0o755): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, mode);
  return path;
}
const run = (...argv: string[]) => runTrusted(world, { argv, timeout });
const refused = (path: string, sentence: RegExp) =>
  assert.rejects(run(path), (fault: Fault) => {
    assert.equal(fault.code, 'command-untrusted');
    assert.match(fault.message, sentence);
    return true;
  });

test('a command of ours gives its standard output, without a shell looking at its arguments', async () => {
  assert.equal(await run(`${home}/good`, '$(id); *'), 'good $(id); *\n');
});

test('links are followed, and the way through them is looked at', async () => {
  await symlink(`${home}/good`, `${home}/link`);
  await symlink('link', `${home}/link-to-link`);
  assert.equal(await run(`${home}/link-to-link`, '1'), 'good 1\n');
  await mkdir(`${home}/open`);
  await chmod(`${home}/open`, 0o777);
  await symlink(`${home}/good`, `${home}/open/bait`);
  await symlink(`${home}/open/bait`, `${home}/hop`);
  await refused(`${home}/hop`, /open, on the way to the command .*hop, can be written by others \(mode 0777\)/);
  await symlink('circle', `${home}/circle`);
  await refused(`${home}/circle`, /is a circle of links/);
});

test('hostile paths are refused before anything runs', async () => {
  await refused('echo', /has no absolute path/);
  await refused('./echo', /has no absolute path/);
  await refused('', /has no absolute path/);
  await refused(home, /is not a file/);
  await refused(`${home}/none`, /does not exist/);
  await refused(`${home}/good/../none`, /does not exist/);
  await refused(await script(`${home}/group`, 'true', 0o775), /can be written by others \(mode 0775\)/);
  await refused(await script(`${home}/all`, 'true', 0o757), /can be written by others \(mode 0757\)/);
  await mkdir(`${home}/sticky`);
  await script(`${home}/sticky/x`, 'true');
  await chmod(`${home}/sticky`, 0o1777);
  await refused(`${home}/sticky/x`, /sticky, on the way to the command .* can be written by others \(mode 1777\)/);
});

test('a command, or a directory above it, that belongs to another user is refused', async () => {
  await script(`${home}/theirs`, 'true');
  const facts = async (path: string) => {
    const real = await world.files.look(path);
    return real !== undefined && path === `${home}/theirs` ? { ...real, owner: 4711 } : real;
  };
  const other = { ...world, files: { ...world.files, look: facts } };
  await assert.rejects(
    runTrusted(other, { argv: [`${home}/theirs`], timeout }),
    /theirs belongs to user 4711, who could change what is run/,
  );
});

test('the environment has PATH, HOME and LANG, and nothing of ours', async () => {
  process.env['TOKEEP_CANARY'] = 'secret';
  const output = await run('/usr/bin/env');
  delete process.env['TOKEEP_CANARY'];
  assert.deepEqual(
    output
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .toSorted(),
    ['HOME', 'LANG', 'PATH'],
  );
});

test('input is handed over on standard input', async () => {
  assert.equal(await runTrusted(world, { argv: ['/bin/cat'], stdin: 'in', timeout }), 'in');
});

test('failing, hanging and saying too much are told apart, and no output is repeated', async () => {
  const failing = await script(`${home}/failing`, 'echo canary; echo canary >&2; exit 3');
  await assert.rejects(run(failing), (fault: Fault) => {
    assert.equal(fault.code, 'command-failed');
    assert.match(fault.message, /failing ended with status 3$/);
    assert.equal(`${fault.message}${fault.hint}`.includes('canary'), false);
    return true;
  });
  const hanging = await script(`${home}/hanging`, 'while :; do :; done');
  await assert.rejects(
    runTrusted(world, { argv: [hanging], timeout: millis(100) }),
    /took longer than 0.1 s and was stopped/,
  );
  await assert.rejects(
    runTrusted(world, { argv: ['/usr/bin/yes'], timeout, maxOutput: 1000 }),
    /printed more than 1000 bytes/,
  );
  await assert.rejects(run(await script(`${home}/plain`, 'true', 0o600)), /did not start \(EACCES\)/);
});
