import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DiscoveryTarget, ExecTarget } from '../../src/config/config.ts';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { discoverToken } from '../../src/discover/discover-token.ts';
import { Fault } from '../../src/fault/fault.ts';
import { seconds } from '../../src/token/time.ts';
import type { CommandCall } from '../../src/world/processes.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { accessToken, me, worldWith } from './testing.ts';

const token = accessToken('canary-token-for-commands');

test('a token in the discovery place of a user is found there by discovery, and is gone when withdrawn', async (t) => {
  const world = realWorld();
  const purpose = `test-${process.pid}`;
  const target: DiscoveryTarget = { kind: 'discovery', id: 'd', user: String(me), purpose };
  await delivererOf(target).deliver(target, token, world);
  const place = existsSync(`/run/user/${me}`) ? `/run/user/${me}/bt_u${me}` : `/tmp/bt_u${me}`;
  const path = `${place}-${purpose}`;
  t.after(() => rmSync(path, { force: true }));
  assert.equal(lstatSync(path).mode & 0o7777, 0o600);
  const found = await discoverToken({ env: { BEARER_TOKEN_FILE: path }, files: world.files, uid: me, strict: true });
  assert.ok(found.kind === 'found' && found.token.equals(token));
  assert.equal(await delivererOf(target).check(target, { fingerprint: token.fingerprint, at: null }, world), 'there');
  await delivererOf(target).withdraw(target, world);
  assert.equal(await delivererOf(target).check(target, { fingerprint: token.fingerprint, at: null }, world), 'gone');
});

test('a purpose that is no file name is refused', async () => {
  const target: DiscoveryTarget = { kind: 'discovery', id: 'd', user: String(me), purpose: '../x' };
  await assert.rejects(
    delivererOf(target).deliver(target, token, realWorld()),
    (fault) => fault instanceof Fault && fault.code === 'target-refused',
  );
});

function exec(hands: 'stdin' | 'file', argv: readonly string[]): ExecTarget {
  return { kind: 'exec', id: 'e', argv, hands, timeout: seconds(10) };
}

/** The real processes, noting what was run. */
function watched() {
  const calls: CommandCall[] = [];
  const real = realWorld();
  const run = async (call: CommandCall) => {
    calls.push(call);
    return await real.processes.run(call);
  };
  return { calls, world: worldWith({ processes: { run } }) };
}

test('a command gets the token on its standard input, never as an argument or in its environment', async () => {
  const { calls, world } = watched();
  const target = exec('stdin', ['/usr/bin/grep', '-qx', 'canary-token-for-.*']);
  await delivererOf(target).deliver(target, token, world);
  const [call] = calls;
  assert.equal(call?.stdin, `${token.reveal()}\n`);
  assert.ok(!JSON.stringify([call?.args, call?.env]).includes(token.reveal()));
  assert.equal(await delivererOf(target).check(target, { fingerprint: token.fingerprint, at: null }, world), 'unknown');
});

test('a command gets the path of a private file that is gone afterwards, last or in the place of {file}', async () => {
  for (const argv of [
    ['/usr/bin/grep', '-qx', token.reveal().replace('canary', '......')],
    ['/usr/bin/find', '{file}', '-perm', '600', '-quit'],
  ]) {
    const { calls, world } = watched();
    const target = exec('file', argv);
    await delivererOf(target).deliver(target, token, world);
    const path = calls[0]?.args.find((part) => part.endsWith('.token')) ?? '';
    assert.match(path, /\/\.tokeep-[\w-]{22}\.token$/);
    assert.ok(!existsSync(path));
    assert.ok(!JSON.stringify(calls).includes(token.reveal()));
  }
});

test('a command that fails is a failed target, one that others could change is a refused one, and the file goes each time', async (t) => {
  const failing = exec('file', ['/usr/bin/false']);
  const { calls, world } = watched();
  await assert.rejects(
    delivererOf(failing).deliver(failing, token, world),
    (fault) => fault instanceof Fault && fault.code === 'target-failed' && /status 1/.test(fault.message),
  );
  assert.ok(!existsSync(calls[0]?.args[0] ?? ''));
  const script = join('/tmp', `deliver-open-${process.pid}`);
  t.after(() => rmSync(script));
  writeFileSync(script, '#!/bin/sh\n');
  chmodSync(script, 0o777);
  const open = exec('stdin', [script]);
  await assert.rejects(
    delivererOf(open).deliver(open, token, realWorld()),
    (fault) => fault instanceof Fault && fault.code === 'target-refused' && !fault.message.includes('canary'),
  );
});

test('nothing of a token stays in a runtime directory that is not ours', async () => {
  const { calls, world } = watched();
  const target = exec('file', ['/usr/bin/true']);
  await delivererOf(target).deliver(target, token, { ...world, env: { XDG_RUNTIME_DIR: '/nonexistent' } });
  assert.match(calls[0]?.args[0] ?? '', /^\/tmp\/\.tokeep-/);
});

test('the file of an exec target holds the token and a line end', async () => {
  let content = '';
  const run = async (call: CommandCall) => {
    content = readFileSync(call.args[0] ?? '', 'utf8');
    return { kind: 'exited', status: 0, stdout: '', stderr: '' } as const;
  };
  const target = exec('file', ['/usr/bin/true']);
  await delivererOf(target).deliver(target, token, worldWith({ processes: { run } }));
  assert.equal(content, `${token.reveal()}\n`);
});
