import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openSealedParts } from '../../src/mint/reseal-issuer.ts';
import { rotateKeys } from '../../src/mint/rotate-keys.ts';
import { keySealer } from '../../src/store/envelope.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import { rotateSealingKey } from '../../src/store/seal-rotation.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { createIssuer, freshDirectory, isFault, newIssuer, openIssuer, request } from './issuer-bed.ts';

const world = realWorld();

/** An issuer with two sealed keys and names of its own, under a key file that a state has, too. */
async function bed() {
  const base = dirname(freshDirectory());
  const [directory, keyFile] = [`${base}/issuer`, `${base}/etc/key`];
  const deps = { sealer: () => openSealer(world, { keyFile }), chain: 'local' };
  const issuer = await createIssuer(world, directory, newIssuer({ audit: { subjects: 'hashed' } }), deps);
  await rotateKeys(issuer, { now: true, reason: 'a second key', by: 'x' });
  const name = (await issuer.subjectNames()).random('alice');
  await issuer.close();
  const rotate = async () => {
    await using parts = await openSealedParts(world, directory);
    return await rotateSealingKey(world, {
      ...{ stateDir: `${base}/state`, choice: { kind: 'sqlite' }, node: 'a', keyFile, spool: [] },
      also: [parts],
    });
  };
  const check = async () => {
    const after = await openIssuer(world, directory, deps);
    await after.mint(request());
    assert.equal((await after.subjectNames()).random('alice'), name);
    await after.close();
  };
  return { base, directory, keyFile, deps, rotate, check };
}

/** With the key file alone, whatever lies beside it. */
async function opensWithTheKeyAlone({ directory, keyFile }: Awaited<ReturnType<typeof bed>>): Promise<void> {
  const key = Buffer.from(readFileSync(keyFile, 'utf8').split(' ')[1] ?? '', 'base64');
  await using parts = await openSealedParts(world, directory);
  await parts.check(keySealer(key));
}

test('a change of the sealing key takes the keys and the names of an issuer along', async () => {
  const one = await bed();
  const before = readFileSync(one.keyFile, 'utf8');
  assert.deepEqual((await one.rotate()).alsoResealed, [`the issuer in ${one.directory}`]);
  assert.notEqual(readFileSync(one.keyFile, 'utf8'), before);
  assert.deepEqual(readdirSync(dirname(one.keyFile)), ['key']);
  await opensWithTheKeyAlone(one);
  await one.check();
});

test('an issuer that opens with neither key stops the change before anything is sealed anew', async () => {
  const one = await bed();
  const foreign = { ...one.deps, sealer: async () => keySealer(Buffer.alloc(32, 9)) };
  const other = await createIssuer(world, `${one.base}/other`, newIssuer(), foreign);
  await other.close();
  const before = readFileSync(one.keyFile, 'utf8');
  await using parts = await openSealedParts(world, one.directory);
  await using others = await openSealedParts(world, `${one.base}/other`);
  const options = { stateDir: `${one.base}/state`, choice: { kind: 'sqlite' }, node: 'a', spool: [] } as const;
  const attempt = rotateSealingKey(world, { ...options, keyFile: one.keyFile, also: [parts, others] });
  await assert.rejects(attempt, isFault('seal-wrong-key'));
  assert.equal(readFileSync(one.keyFile, 'utf8'), before);
  await opensWithTheKeyAlone(one);
});

const points = [
  ['createExclusive', 'key.old'],
  ['rename', 'key.next'],
  ['remove', 'key.old'],
  ...[1, 2, 3, 4, 5, 6].map((step) => ['step', String(step)] as const),
] as const;

for (const [point, where] of points) {
  test(`killed at ${point} ${where} while the key is changed: the issuer signs, and doing it again ends it`, async () => {
    const one = await bed();
    const program = join(import.meta.dirname, 'killed-rotation.ts');
    const child = spawn(process.execPath, [program, one.base, point, where], { stdio: 'inherit' });
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL', 'the kill point was not met');
    await one.check();
    const { to } = await one.rotate();
    await one.check();
    await opensWithTheKeyAlone(one);
    assert.equal((await openSealer(world, { keyFile: one.keyFile })).keyId, to);
    assert.deepEqual(readdirSync(dirname(one.keyFile)), ['key']);
  });
}
