import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';

const fresh = () => mkdtempSync(join(tmpdir(), 'tokeep-files-'));

test('a plan breaks the call it names, the time it names, and nothing else', async () => {
  const path = fresh();
  const directory = await faultyFiles(realFiles, [{ op: 'rename', nth: 2, code: 'EIO' }]).openDirectory(path);
  for (const name of ['a', 'b', 'c']) await (await directory.createExclusive(name, 0o600)).close();
  await directory.rename('a', 'a2');
  await assert.rejects(directory.rename('b', 'b2'), { code: 'EIO' });
  await directory.rename('c', 'c2');
  assert.deepEqual([...(await directory.list())].sort(), ['a2', 'b', 'c2']);
  await directory.close();
});

test('a short write says how much went out, and the rest can follow', async () => {
  const path = fresh();
  const directory = await faultyFiles(realFiles, [{ op: 'write', short: 3 }]).openDirectory(path);
  const file = await directory.createExclusive('f', 0o600);
  assert.equal(await file.write(Buffer.from('abcdef')), 3);
  assert.equal(await file.write(Buffer.from('def')), 3);
  await file.close();
  await directory.close();
  assert.equal(readFileSync(join(path, 'f'), 'utf8'), 'abcdef');
});

test('a step that is bound to a path leaves other paths alone, and counts only its own', async () => {
  const path = fresh();
  const plan = [{ op: 'createExclusive', path: 'victim', nth: 2, times: 2, code: 'ENOSPC' }] as const;
  const directory = await faultyFiles(realFiles, plan).openDirectory(path);
  await (await directory.createExclusive('victim1', 0o600)).close();
  await (await directory.createExclusive('other', 0o600)).close();
  await assert.rejects(directory.createExclusive('victim2', 0o600), { code: 'ENOSPC' });
  await assert.rejects(directory.createExclusive('victim3', 0o600), { code: 'ENOSPC' });
  await (await directory.createExclusive('victim4', 0o600)).close();
  await directory.close();
});

test('a kill point runs before the call, which then goes on', async () => {
  const path = fresh();
  const seen: string[] = [];
  const plan = [{ op: 'sync', meanwhile: () => void seen.push('here') }] as const;
  const directory = await faultyFiles(realFiles, plan).openDirectory(path);
  const file = await directory.createExclusive('f', 0o600);
  await file.sync();
  await file.sync();
  assert.deepEqual(seen, ['here']);
  await file.close();
  await directory.close();
});
