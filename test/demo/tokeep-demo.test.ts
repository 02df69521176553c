import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

/** `tokeep demo` with a place of its own for temporary files. */
function started(
  context: TestContext,
  args: readonly string[],
): { readonly place: string; readonly child: ChildProcess } {
  const place = mkdtempSync(join(tmpdir(), 'tokeep-demo-test-'));
  context.after(() => rmSync(place, { recursive: true, force: true }));
  const env = {
    PATH: process.env['PATH'],
    TMPDIR: place,
    HOME: join(place, 'nowhere'),
    NODE_DISABLE_COMPILE_CACHE: '1',
  };
  const child = spawn(process.execPath, [main, 'demo', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return { place, child };
}

/** Every process whose command line names this place. */
function processesIn(place: string): readonly string[] {
  const commandLine = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(place));
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const part of stream ?? []) text += String(part);
  return text;
}

describe('tokeep demo', { concurrency: 2 }, () => {
  test('makes an issuer, keeps tokens fresh under two keys, checks each, and leaves nothing behind', async (context) => {
    const { place, child } = started(context, ['--seconds', '1']);
    const [shown, said, [status]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close'),
    ]);
    assert.equal(status, 0, `${shown}${said}`);
    assert.equal(said, '');
    assert.ok(!shown.includes('\u001b'), 'no colours in a pipe');
    assert.doesNotMatch(shown, /eyJ/);
    for (const command of ['issuer init', 'issuer client add', 'issuer serve', 'run', 'issuer rotate', 'issuer audit'])
      assert.match(shown, new RegExp(`^\\$ tokeep ${command}\\b`, 'm'));
    assert.match(
      shown,
      /^the token is good: signed by http:\/\/127\.0\.0\.1:\d+ .*, for ce1\.example:9619, profile wlcg/m,
    );
    assert.match(shown, /^storage\.read:\/run7 lets its bearer read \/run7\/data\.root$/m);
    assert.match(shown, /^tokeep: storage\.read:\/run7 does not reach \/run8\/data\.root/m);
    assert.match(shown, /^the audit log is whole: \d{2} lines$/m);
    const keys = new Set([...shown.matchAll(/good by key (\S{6}) for/g)].map(([, kid]) => kid));
    assert.equal(keys.size, 2, shown);
    for (const name of ['data', 'run7', 'ce1', 'ce2', 'ce3']) {
      const [, renewals = '0', checked] =
        new RegExp(`^${name} +(\\d+) renewals, (\\d+) tokens checked`, 'm').exec(shown) ?? [];
      assert.ok(Number(renewals) >= 2, shown);
      assert.equal(checked, renewals);
    }
    assert.deepEqual(readdirSync(place), []);
    assert.deepEqual(processesIn(place), []);
  });

  for (const [signal, status, line] of [
    ['SIGINT', 130, '$ tokeep issuer init'],
    ['SIGTERM', 143, '$ tokeep issuer serve'],
    // As from a terminal that is closed; the server and the daemon take it for something else.
    ['SIGHUP', 129, '$ tokeep run'],
  ] as const) {
    test(`a ${signal} at "${line}" ends it with ${status}, with nothing left and nothing running`, async (context) => {
      const { place, child } = started(context, []);
      const ended = once(child, 'close');
      const said = textOf(child.stderr);
      assert.ok(child.stdout);
      for await (const text of createInterface({ input: child.stdout })) {
        if (!text.startsWith(line)) continue;
        const [directory = ''] = readdirSync(place);
        assert.equal(statSync(join(place, directory)).mode & 0o777, 0o700);
        child.kill(signal);
      }
      assert.deepEqual(await ended, [status, null], await said);
      assert.deepEqual(readdirSync(place), []);
      assert.deepEqual(processesIn(place), []);
    });
  }

  test('a reader that goes away ends it, with nothing left and nothing running', async (context) => {
    const { place, child } = started(context, []);
    const ended = once(child, 'close');
    assert.ok(child.stdout);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(readdirSync(place), []);
    assert.deepEqual(processesIn(place), []);
  });
});
