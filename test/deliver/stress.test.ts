import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { accessToken, fileTarget, scratch } from './testing.ts';

test('scenario 37: a reader that never rests sees whole tokens only, thousands of times, while they are replaced', async (t) => {
  const world = realWorld();
  const target = fileTarget(join(scratch(t), 'a.token'));
  const deliver = (n: number) =>
    delivererOf(target).deliver(target, accessToken(`TOKEN-${n}-${'x'.repeat(5000)}-${n}`), world);
  await deliver(0);
  const reader = fork(join(import.meta.dirname, 'reader.ts'), [target.path]);
  t.after(() => reader.kill());
  await once(reader, 'message');
  for (let n = 1; n <= 200; n++) await deliver(n);
  reader.send('stop');
  const [seen] = (await once(reader, 'message')) as [{ reads: number; broken: number; changes: number }];
  assert.equal(seen.broken, 0);
  assert.ok(seen.reads > 1000, `${seen.reads} reads`);
  assert.ok(seen.changes > 10, `the inode changed ${seen.changes} times`);
  t.diagnostic(`${seen.reads} reads, ${seen.changes} changes of the inode`);
});
