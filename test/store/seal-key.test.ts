import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/fault/fault.ts';
import { keySealer } from '../../src/store/envelope.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { refreshToken, sealer } from './samples.ts';

const world = realWorld();
const fresh = () => join(mkdtempSync(join(tmpdir(), 'tokeep-key-')), 'etc', 'seal.key');
const isFault = (code: string) => (thrown: unknown) => thrown instanceof Fault && thrown.code === code;
const binding = { record: 'account a credential', generation: 3 };

test('what was sealed opens again, and two seals of one secret differ', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.nat(), (text, record, generation) => {
      const one = sealer.seal(refreshToken(text), { record, generation });
      assert.equal(sealer.open('refresh_token', one, { record, generation }).reveal(), text);
      assert.notEqual(sealer.seal(refreshToken(text), { record, generation }), one);
    }),
    { numRuns: 50 },
  );
});

test('an envelope opens for its record, generation and kind only', () => {
  const envelope = sealer.seal(refreshToken('r'), binding);
  for (const open of [
    () => sealer.open('refresh_token', envelope, { ...binding, generation: 4 }),
    () => sealer.open('refresh_token', envelope, { ...binding, record: 'account b credential' }),
    () => sealer.open('mytoken', envelope, binding),
  ]) {
    assert.throws(open, isFault('seal-damaged'));
  }
});

test('an envelope in which any bit was changed, or that was cut, does not open', () => {
  const bytes = Buffer.from(sealer.seal(refreshToken('secret'), binding), 'base64');
  for (let i = 0; i < bytes.length; i += 1) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    const cut = bytes.subarray(0, i);
    assert.throws(() => sealer.open('refresh_token', changed.toString('base64'), binding), Fault);
    assert.throws(() => sealer.open('refresh_token', cut.toString('base64'), binding), isFault('seal-damaged'));
  }
});

test('another key is named as such, and never mistaken for damage', () => {
  const envelope = sealer.seal(refreshToken('r'), binding);
  assert.throws(
    () => keySealer(Buffer.alloc(32, 8)).open('refresh_token', envelope, binding),
    isFault('seal-wrong-key'),
  );
});

test('the key file is made once, 0600, and two that start together share it', async () => {
  const keyFile = fresh();
  const [one, two] = await Promise.all([openSealer(world, { keyFile }), openSealer(world, { keyFile })]);
  assert.equal(one.keyId, two.keyId);
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  assert.equal((await openSealer(world, { keyFile })).keyId, one.keyId);
  assert.notEqual((await openSealer(world, { keyFile: fresh() })).keyId, one.keyId);
});

test('a key that others can read, that is a link, or that is no key is refused, with what to do', async () => {
  const keyFile = fresh();
  await openSealer(world, { keyFile });
  const key = readFileSync(keyFile);
  chmodSync(keyFile, 0o640);
  await assert.rejects(openSealer(world, { keyFile }), (thrown) => {
    assert.ok(isFault('seal-key-unusable')(thrown));
    assert.match((thrown as Fault).message, /mode 0640, expected 0600/);
    assert.equal((thrown as Fault).hint, `chmod 0600 ${keyFile}`);
    return true;
  });
  symlinkSync(keyFile, `${keyFile}.link`);
  await assert.rejects(openSealer(world, { keyFile: `${keyFile}.link` }), isFault('seal-key-unusable'));
  writeFileSync(keyFile, 'not a key\n');
  chmodSync(keyFile, 0o600);
  await assert.rejects(openSealer(world, { keyFile }), isFault('seal-key-unusable'));
  assert.ok(key.length > 32);
});

test('a systemd credential goes before the key file, which is then not made', async () => {
  const keyFile = fresh();
  const { keyId } = await openSealer(world, { keyFile });
  const credentials = mkdtempSync(join(tmpdir(), 'tokeep-cred-'));
  writeFileSync(join(credentials, 'tokeep.seal-key'), readFileSync(keyFile));
  const service = { ...world, env: { CREDENTIALS_DIRECTORY: credentials } };
  const other = fresh();
  assert.equal((await openSealer(service, { keyFile: other })).keyId, keyId);
  assert.equal(statSync(other, { throwIfNoEntry: false }), undefined);
});

test('with a passphrase only a salt lies in the file: the same one opens, another one is another key', async () => {
  const keyFile = fresh();
  const open = (text: string) => openSealer(world, { keyFile, passphrase: new Secret('password', text) });
  const { keyId } = await open('correct horse');
  assert.equal((await open('correct horse')).keyId, keyId);
  assert.notEqual((await open('another horse')).keyId, keyId);
  await assert.rejects(openSealer(world, { keyFile }), isFault('seal-key-unusable'));
  assert.match(readFileSync(keyFile, 'utf8'), /^tokeep-seal-salt-1 /);
});

test('a key place that cannot be made is said, not guessed around', async () => {
  const keyFile = fresh();
  mkdirSync(join(keyFile, '..', '..'), { recursive: true });
  writeFileSync(join(keyFile, '..'), 'a file where a directory should be');
  await assert.rejects(openSealer(world, { keyFile }), isFault('seal-key-unusable'));
});
