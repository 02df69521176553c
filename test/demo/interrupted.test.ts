import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const demo = resolve(import.meta.dirname, '../../demo/demo.ts');

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`the demo that gets a ${signal} leaves nothing behind and ends with ${status}`, async (context) => {
    const place = mkdtempSync(join(tmpdir(), 'tokeep-demo-test-'));
    context.after(() => rmSync(place, { recursive: true, force: true }));
    const env = { ...process.env, TMPDIR: place, NODE_DISABLE_COMPILE_CACHE: '1' };
    const child = spawn(process.execPath, [demo], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('$ tokeep setup')) child.kill(signal);
    });
    assert.deepEqual(await ended, [status, null]);
    assert.deepEqual(readdirSync(place), []);
  });
}
