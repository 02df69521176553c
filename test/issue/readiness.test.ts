import assert from 'node:assert/strict';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { serverBed } from './server-bed.ts';

test('whoever asks whether a server is ready shares one look a second with all others', async () => {
  const clock = new TestClock();
  await using bed = await serverBed({ world: { ...realWorld(), clock } });
  let looks = 0;
  const { read } = bed.issuer.database;
  bed.issuer.database.read = async (sql, values) => {
    if (sql.includes('FROM issuer_server')) looks += 1;
    return await read.call(bed.issuer.database, sql, values);
  };
  const ask = async () => (await fetch(`${bed.origin}/readyz`)).status;
  const answers = await Promise.all(Array.from({ length: 50 }, ask));
  assert.deepEqual([[...new Set(answers)], looks], [[200], 1]);
  clock.advance(seconds(1));
  bed.issuer.database.read = async () => {
    looks += 1;
    throw new Error('away');
  };
  assert.deepEqual([await ask(), await ask(), looks], [503, 503, 2]);
});

test('a server that stops is not ready at once, whatever it answered a moment ago', async () => {
  let open = true;
  await using bed = await serverBed({ server: { open: () => open } });
  const ask = async () => (await fetch(`${bed.origin}/readyz`)).status;
  assert.equal(await ask(), 200);
  open = false;
  assert.equal(await ask(), 503);
});

test('a server whose issuer.db was moved away, or replaced by a copy, is not ready and says so once, until it is back', async () => {
  const clock = new TestClock();
  const told: string[] = [];
  await using bed = await serverBed({
    world: { ...realWorld(), clock },
    server: { log: { event: (name: string) => told.push(name) } },
  });
  const ask = async () => {
    clock.advance(seconds(1));
    return (await fetch(`${bed.origin}/readyz`)).status;
  };
  const at = join(bed.issuer.directory, 'issuer.db');
  assert.equal(await ask(), 200);
  await rename(at, `${at}.away`);
  assert.deepEqual([await ask(), await ask(), told], [503, 503, ['issuer-database-moved']]);
  await copyFile(`${at}.away`, at);
  assert.deepEqual([await ask(), told.length], [503, 1]);
  await rename(`${at}.away`, at);
  assert.equal(await ask(), 200);
  assert.equal(await bed.server.readiness.inPlace(), true);
});
