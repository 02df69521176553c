import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { notedIssuers, noteIssuer } from '../../src/cli/noted-issuers.ts';
import { Fault } from '../../src/fault/fault.ts';
import { faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realWorld } from '../../src/world/real-world.ts';

const base = mkdtempSync(join(tmpdir(), 'tokeep-noted-'));
after(() => rmSync(base, { recursive: true, force: true }));
const world = realWorld();

test('issuers that are noted at the same moment are all there, once, for the owner of the key only', async () => {
  const keyFile = `${base}/together/seal.key`;
  const wanted = Array.from({ length: 8 }, (_, number) => `/srv/issuer ${number}`);
  await Promise.all([...wanted, ...wanted].map((directory) => noteIssuer(world, keyFile, directory)));
  assert.deepEqual((await notedIssuers(world, keyFile)).toSorted(), wanted);
  assert.equal(readFileSync(`${keyFile}.issuers`, 'utf8').split('\n').length, wanted.length + 1);
  assert.equal(statSync(`${keyFile}.issuers`).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(`${base}/together`), ['seal.key.issuers']);
});

test('what a killed process left does not keep an issuer from being noted', async () => {
  const keyFile = `${base}/seal.key`;
  writeFileSync(`${keyFile}.issuers.new`, '/srv/ha');
  const hasty = { ...world, clock: { ...world.clock, sleep: async () => {} } };
  await noteIssuer(hasty, keyFile, '/srv/issuer');
  assert.deepEqual(await notedIssuers(world, keyFile), ['/srv/issuer']);
});

test('an issuer that cannot be noted is a fault that says which line is missing', async () => {
  const files = faultyFiles(realFiles, [{ op: 'createExclusive', path: 'seal.key.issuers', code: 'EROFS' }]);
  await assert.rejects(noteIssuer({ ...world, files }, `${base}/read-only/seal.key`, '/srv/issuer'), (thrown) => {
    assert.ok(thrown instanceof Fault && thrown.code === 'seal-key-unusable');
    assert.match(thrown.message, /the issuer in \/srv\/issuer .*seal\.key\.issuers \(EROFS\)/);
    assert.match(thrown.hint ?? '', /add that line/);
    return true;
  });
  await assert.rejects(noteIssuer(world, `${base}/seal.key`, '/srv/a\n/srv/b'), Fault);
});
