import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { Fault } from '../../src/fault/fault.ts';
import { type IdtokenRequest, mintIdtoken } from '../../src/mint/idtoken.ts';
import { poolKeyOf, readPoolKey } from '../../src/mint/idtoken-key.ts';
import { isSignedWith, readIdtoken } from '../../src/mint/idtoken-look.ts';
import { epoch, hours, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';

const dir = await mkdtemp(join(tmpdir(), 'tokeep-idtoken-'));
after(() => rm(dir, { recursive: true }));

const world = realWorld();
after(() => world.http.close());
const { random } = world;
const now = epoch(Date.UTC(2026, 10, 22, 12, 0, 0, 400));
const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
const asked: IdtokenRequest = {
  trustDomain: 'pool.example.org:9618',
  identity: 'pilot@frontend.example',
  scopes: ['READ', 'condor:/ADVERTISE_STARTD'],
  lifetime: hours(24),
};
const refusal = (code: string, says: RegExp) => (thrown: unknown) =>
  thrown instanceof Fault && thrown.code === code && says.test(thrown.message);

/** Another way to the same: HKDF (RFC 5869) spelled out. */
function derivedByHand(file: Uint8Array, doubled: boolean): Buffer {
  const plain = Buffer.from(file).map((byte, index) => byte ^ (0xdeadbeef >>> (24 - 8 * (index % 4))));
  const input = doubled ? Buffer.concat([plain, plain]) : plain;
  const extracted = createHmac('sha256', 'htcondor').update(input).digest();
  return createHmac('sha256', extracted).update('master jwt').update(Buffer.of(1)).digest();
}

test('the signing key is derived as HTCondor does, POOL of the doubled bytes (values from another implementation)', () => {
  const exported = (id: string) => poolKeyOf(bytes, id).key.export().toString('hex');
  assert.equal(exported('POOL'), '292e12e9d5d2a37ee7bd72eb7bb8d51f56d34fd688a98bdaf7346549278c26ac');
  assert.equal(exported('site'), '65ce6d2d9adb4e61ef1506e4ef59dfd0041f9655cdad20a8a7fe369b0d0e7fb4');
});

test('an IDTOKEN has the claims and the header HTCondor gives it, and another library verifies it', async () => {
  const minted = mintIdtoken(poolKeyOf(bytes, 'POOL'), asked, { now, random });
  const { payload, protectedHeader } = await jwtVerify(minted.token.reveal(), derivedByHand(bytes, true), {
    algorithms: ['HS256'],
    currentDate: new Date(now),
  });
  assert.deepEqual(protectedHeader, { alg: 'HS256', kid: 'POOL' });
  const iat = Math.floor(now / 1000);
  assert.deepEqual(payload, {
    exp: iat + 86_400,
    iat,
    iss: 'pool.example.org:9618',
    jti: minted.jti,
    scope: 'condor:/READ condor:/ADVERTISE_STARTD',
    sub: 'pilot@frontend.example',
  });
  assert.match(minted.jti, /^[0-9a-f]{32}$/);
  assert.deepEqual(minted.remarks, []);
});

test('a token without end or without scope is made, and said to be one', () => {
  const wide = { ...asked, scopes: [], lifetime: 'endless' } as const;
  const minted = mintIdtoken(poolKeyOf(bytes, 'POOL'), wide, { now, random });
  assert.equal(minted.expiresAt, undefined);
  assert.equal(minted.remarks.length, 2);
  const seen = readIdtoken(minted.token.reveal(), now);
  assert.ok(seen.kind === 'idtoken' && seen.faults.length === 0 && seen.remarks.length === 2);
});

for (const [what, change] of [
  ['a trust domain with a comma', { trustDomain: 'a,b' }],
  ['an identity without a domain', { identity: 'alice' }],
  ['an identity with a line end', { identity: 'alice@pool\n' }],
  ['a level that HTCondor does not have', { scopes: ['condor:/EVERYTHING'] }],
  ['a scope of storage', { scopes: ['storage.read:/'] }],
  ['no lifetime to speak of', { lifetime: seconds(0) }],
] as const) {
  test(`${what} is refused`, () => {
    const wrong = () => mintIdtoken(poolKeyOf(bytes, 'POOL'), { ...asked, ...change }, { now, random });
    assert.throws(wrong, refusal('request-refused', /./));
  });
}

test('what was made is read again, and belongs to its own key only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 80 }), fc.constantFrom('POOL', 'site'), (file, id) => {
      const key = poolKeyOf(file, id);
      const text = mintIdtoken(key, asked, { now, random }).token.reveal();
      const seen = readIdtoken(text, now);
      assert.ok(seen.kind === 'idtoken');
      assert.deepEqual([seen.keyId, seen.identity, seen.trustDomain], [id, asked.identity, asked.trustDomain]);
      assert.ok(isSignedWith(text, key));
      assert.ok(!isSignedWith(text, poolKeyOf(file, id === 'POOL' ? 'site' : 'POOL')));
      assert.ok(!isSignedWith(`${text.slice(0, -4)}AAAA`, key) || text.endsWith('AAAA'));
    }),
  );
});

test('a token that has expired, or of another kind, is said to be', () => {
  const text = mintIdtoken(poolKeyOf(bytes, 'POOL'), asked, { now, random }).token.reveal();
  const later = readIdtoken(text, epoch(now + hours(25)));
  assert.deepEqual(later.kind === 'idtoken' && later.faults, ['it has expired']);
  const other = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30.c2ln`;
  assert.equal(readIdtoken(other, now).kind, 'refused');
  assert.equal(readIdtoken('opaque', now).kind, 'refused');
});

test('a name that every object has is no algorithm', () => {
  for (const alg of ['constructor', 'toString', '__proto__', ['HS256']]) {
    const [header, claims] = [
      { alg, kid: 'POOL' },
      { iss: 'pool', sub: 'a@b' },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    const text = `${header}.${claims}.AAAA`;
    assert.equal(readIdtoken(text, now).kind, 'refused', String(alg));
    assert.ok(!isSignedWith(text, poolKeyOf(bytes, 'POOL')));
  }
});

test('a key is read byte for byte, by its name in the directory or by its path', async () => {
  const path = join(dir, 'site');
  await writeFile(path, bytes, { mode: 0o600 });
  const byName = await readPoolKey(world, { kind: 'directory', path: dir, id: 'site' });
  const byPath = await readPoolKey(world, { kind: 'file', path, id: 'site' });
  for (const { key } of [byName, byPath]) assert.ok(key.equals(poolKeyOf(bytes, 'site').key));
});

test('a credential of systemd is read whatever its mode', async () => {
  await writeFile(join(dir, 'pool-key'), bytes, { mode: 0o440 });
  const service = { ...world, env: { CREDENTIALS_DIRECTORY: dir } };
  const { key } = await readPoolKey(service, { kind: 'credential', name: 'pool-key', id: 'POOL' });
  assert.ok(key.equals(poolKeyOf(bytes, 'POOL').key));
  const missing = readPoolKey(world, { kind: 'credential', name: 'pool-key', id: 'POOL' });
  await assert.rejects(missing, refusal('signing-key-missing', /pool-key/));
});

test('a key that is open to others, a link, empty, too large or not there is not used', async () => {
  const at = (name: string) => readPoolKey(world, { kind: 'directory', path: dir, id: name });
  await writeFile(join(dir, 'open'), bytes);
  await chmod(join(dir, 'open'), 0o640);
  await assert.rejects(at('open'), refusal('signing-key-unusable', /open to others \(mode 0640\)/));
  await symlink('open', join(dir, 'link'));
  await assert.rejects(at('link'), refusal('signing-key-unusable', /is a link/));
  await writeFile(join(dir, 'empty'), '', { mode: 0o600 });
  await assert.rejects(at('empty'), refusal('signing-key-unusable', /is empty/));
  await writeFile(join(dir, 'large'), Buffer.alloc(70_000), { mode: 0o600 });
  await assert.rejects(at('large'), refusal('signing-key-unusable', /more than/));
  await assert.rejects(at('nowhere'), refusal('signing-key-missing', /nowhere/));
  await assert.rejects(at('../open'), refusal('signing-key-unusable', /not the name/));
  assert.match(poolKeyOf(bytes.subarray(0, 8), 'POOL').remarks.join(), /8 bytes only/);
});

/** Keys of a pool that is no more, and what condor_token_create of HTCondor 23.9.6 made with them. */
const ofHtcondor = [
  {
    id: 'POOL',
    key: 'DV+5ka921IQeWJLvclbat9CtOec1vyOYge/lwVHwf10T35GvRLQFxdEYe3ezc7qfLy0DMldA3jc7hQuu7Ce1Uw==',
    token: [
      'eyJhbGciOiJIUzI1NiIsImtpZCI6IlBPT0wifQ',
      'eyJleHAiOjE3OTUzMzEyOTIsImlhdCI6MTc5NTMzMDY5MiwiaXNzIjoidGVzdHBvb2wubG9jYWwiLCJqdGkiOiIwZjZmYzUxYTU1NzUzMDgwOTFkMjcxYmMwNTcwNmYwMyIsInNjb3BlIjoiY29uZG9yOlwvUkVBRCBjb25kb3I6XC9XUklURSIsInN1YiI6ImFsaWNlQHRlc3Rwb29sLmxvY2FsIn0',
      'FO4yqsFssQCtqvqYNqAo41bhS7Gs94uTEBEIwwGd9zM',
    ].join('.'),
    scopes: ['condor:/READ', 'condor:/WRITE'],
    identity: 'alice@testpool.local',
  },
  {
    id: 'site-7',
    key: 'CH4rshSTL0tH1ik6bmrkcWcUdJ3m8AfjEbE9GiLbn9wVM06GyQ6UEu3k1OBZU62RhsaEZRyKonlWAO6XNMM97Q==',
    token: [
      'eyJhbGciOiJIUzI1NiIsImtpZCI6InNpdGUtNyJ9',
      'eyJpYXQiOjE3OTUzMzA2OTIsImlzcyI6InRlc3Rwb29sLmxvY2FsIiwianRpIjoiNDEwNzY3YWQwZmRiN2UzNTI0NmEyMTViZDhlZDM1NTUiLCJzdWIiOiJzQHRlc3Rwb29sLmxvY2FsIn0',
      'PoqHKRMYu0A5m63cSkiTMKhRjHGNOtAce3DvhBDM-ts',
    ].join('.'),
    scopes: [],
    identity: 's@testpool.local',
  },
] as const;
for (const { id, key, token, scopes, identity } of ofHtcondor) {
  test(`a token that HTCondor itself made with its key ${id} is read, and found to be of this key`, () => {
    const seen = readIdtoken(token, epoch(1_795_330_700_000));
    assert.ok(seen.kind === 'idtoken');
    const { faults, keyId, trustDomain } = seen;
    assert.deepEqual([faults, keyId, trustDomain], [[], id, 'testpool.local']);
    assert.deepEqual([seen.identity, seen.scopes], [identity, scopes]);
    assert.ok(isSignedWith(token, poolKeyOf(Buffer.from(key, 'base64'), id)));
  });
}
