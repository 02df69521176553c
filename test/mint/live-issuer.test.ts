import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { importKey } from '../../src/mint/import-key.ts';
import type { OpenIssuer } from '../../src/mint/issuer.ts';
import { rotateKeys } from '../../src/mint/rotate-keys.ts';
import { settingsText } from '../../src/mint/settings-text.ts';
import { keySealer } from '../../src/store/envelope.ts';
import { Secret } from '../../src/token/secret.ts';
import { hours, millis, seconds } from '../../src/token/time.ts';
import { faultyFiles } from '../../src/world/faulty-files.ts';
import {
  createIssuer,
  deps,
  freshDirectory,
  isFault,
  newIssuer,
  openIssuer,
  request,
  sealer,
  stoppedWorld,
  url,
} from './issuer-bed.ts';

const world = stoppedWorld();

async function verified(issuer: OpenIssuer, text: string, typ?: string) {
  const keys = createLocalJWKSet({ keys: (await issuer.keys()).map(({ jwk }) => ({ ...jwk })) as never });
  const currentDate = new Date(world.clock.now());
  return await jwtVerify(text, keys, { issuer: url, currentDate, ...(typ === undefined ? {} : { typ }) });
}
const pemOf = (options: object = {}) =>
  new Secret(
    'private_key',
    String(
      generateKeyPairSync('ec', { namedCurve: 'P-256', ...options }).privateKey.export({ type: 'sec1', format: 'pem' }),
    ),
  );

test('ISS-11: RS256 and the profile at+jwt: jose takes the token for what it is', async () => {
  const issuer = await createIssuer(
    world,
    freshDirectory(),
    newIssuer({ profile: 'at+jwt', algorithm: 'RS256', keys: 'file' }),
    deps,
  );
  const minted = await issuer.mint(request({ clientId: 'rucio', claims: { email: 'a@b' } }));
  const { payload, protectedHeader } = await verified(issuer, minted.token.reveal(), 'at+jwt');
  assert.deepEqual([protectedHeader.alg, protectedHeader.kid], ['RS256', minted.kid]);
  for (const claim of ['iss', 'exp', 'aud', 'sub', 'iat', 'nbf', 'jti', 'client_id', 'scope'])
    assert.ok(claim in payload);
  assert.deepEqual([payload['client_id'], payload['email']], ['rucio', 'a@b']);
  assert.match(minted.jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  await issuer.close();
});

test('a change of issuer.yaml by another program holds within a second', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer(), deps);
  await issuer.mint(request());
  const wanted = newIssuer();
  const suspended = { ...wanted.policy, suspended: ['pilot-1'] };
  writeFileSync(`${directory}/issuer.yaml`, settingsText({ ...wanted, policy: suspended }));
  world.clock.advance(seconds(1));
  await assert.rejects(issuer.mint(request()), isFault('policy-refused'));
  assert.deepEqual(issuer.settings.policy.suspended, ['pilot-1']);
  writeFileSync(`${directory}/issuer.yaml`, 'issuer: [');
  world.clock.advance(seconds(1));
  await assert.rejects(issuer.mint(request({ subject: 'robot' })), isFault('config-invalid'));
  await assert.rejects(issuer.judge(request()), isFault('config-invalid'));
  writeFileSync(`${directory}/issuer.yaml`, settingsText({ ...wanted, url: `${url}2` as typeof url }));
  await assert.rejects(issuer.mint(request()), isFault('config-invalid'));
  writeFileSync(`${directory}/issuer.yaml`, settingsText({ ...wanted, audit: { subjects: 'hashed' } }));
  await issuer.mint(request());
  const last = (await issuer.audit.lines({ limit: 1 }))[0];
  assert.match(String(last?.entry.subject), /^hashed:/);
  await issuer.close();
});

test('a change that is told of while somebody looks holds for the next token', async () => {
  const directory = freshDirectory();
  const other = await createIssuer(world, directory, newIssuer(), deps);
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow = async () => {
    asked.resolve();
    await gate.promise;
    return sealer;
  };
  const issuer = await openIssuer(world, directory, { ...deps, sealer: slow });
  const first = issuer.mint(request());
  await asked.promise;
  for (let i = 0; i < 2; i += 1) await rotateKeys(other, { now: true, reason: 'drill', by: 'x' });
  issuer.lookAgain();
  gate.resolve();
  await first;
  const signs = (await other.keys()).find(({ state }) => state === 'signing');
  assert.equal((await issuer.mint(request())).kid, signs?.kid);
  await issuer.close();
  await other.close();
});

test('a switch to hashed subjects that is met inside a transaction is a matter of trying again', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer(), deps);
  writeFileSync(`${directory}/issuer.yaml`, settingsText({ ...newIssuer(), audit: { subjects: 'hashed' } }));
  const mint = () => issuer.database.write((session) => issuer.mintIn(session, request()));
  await assert.rejects(mint(), isFault('state-busy'));
  await mint();
  const name = (await issuer.audit.lines({ limit: 1 }))[0]?.entry.subject;
  assert.equal(name, (await issuer.subjectNames()).inLog('pilot-1'));
  await issuer.close();
  const later = await openIssuer(world, directory, deps);
  assert.equal(name, (await later.subjectNames()).inLog('pilot-1'));
  await later.close();
});

test('a full disk gives no token', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer(), deps);
  await issuer.mint(request());
  // SQLite may not grow any more: what it says then is what it says of a full disk (SQLITE_FULL).
  const full = issuer.database.write(async (session) => {
    await session.rows('PRAGMA max_page_count = 1');
  });
  await full;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, () => issuer.mint(request({ deliveredTo: ['/a/rather/long/place'.repeat(20)] }))),
  );
  const failed = outcomes.filter(({ status }) => status === 'rejected') as readonly PromiseRejectedResult[];
  assert.ok(failed.length > 0);
  assert.ok(failed.every(({ reason }) => isFault('state-write-failed')(reason)));
  const handedOut = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.jti] : []));
  const noted = new Set((await issuer.audit.lines({})).map(({ entry }) => entry.jti));
  assert.ok(handedOut.every((jti) => noted.has(jti)));
  await issuer.close();
});

test('every token that was handed out stands in the log, also when the process is killed', async () => {
  const directory = freshDirectory();
  await (await createIssuer(world, directory, newIssuer(), deps)).close();
  const { stdout } = spawnSync(process.execPath, [`${import.meta.dirname}/killed-issuer.ts`, directory], {
    encoding: 'utf8',
  });
  const jtis = stdout.trim().split('\n');
  assert.ok(jtis.length > 20);
  const issuer = await openIssuer(world, directory, deps);
  const noted = new Set((await issuer.audit.lines({ limit: 100_000 })).map(({ entry }) => entry.jti));
  assert.ok(jtis.every((jti) => noted.has(jti)));
  assert.equal((await issuer.audit.verify()).kind, 'whole');
  await issuer.close();
});

test('with another sealing key nothing is signed, and it is said why', async () => {
  const directory = freshDirectory();
  await (await createIssuer(world, directory, newIssuer(), deps)).close();
  const issuer = await openIssuer(world, directory, { ...deps, sealer: async () => keySealer(Buffer.alloc(32, 9)) });
  await assert.rejects(issuer.mint(request()), isFault('seal-wrong-key'));
  await issuer.close();
});

test('ISS-12: a private key in a file is for its owner alone, or nothing is signed with it', async () => {
  const directory = freshDirectory();
  const first = await createIssuer(world, directory, newIssuer({ keys: 'file' }), deps);
  const [key] = await first.keys();
  const path = key?.home.kind === 'file' ? key.home.path : '';
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(`${directory}/keys`).mode & 0o777, 0o700);
  await first.close();
  const refused = async (says: RegExp, in_ = world) => {
    const issuer = await openIssuer(in_, directory, deps);
    await assert.rejects(
      issuer.mint(request()),
      (thrown) =>
        isFault('signing-key-unusable')(thrown) && says.test(thrown.message) && !/PRIVATE KEY/.test(String(thrown)),
    );
    await issuer.close();
  };
  chmodSync(path, 0o640);
  await refused(/open to others \(mode 0640\)/);
  chmodSync(path, 0o600);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, pemOf().reveal());
  await refused(/not the other half of its public key/);
  renameSync(path, `${path}.other`);
  symlinkSync(`${path}.other`, path);
  await refused(/is a link/);
  rmSync(path);
  await refused(/is not there/);
  writeFileSync(path, text, { mode: 0o600 });
  const issuer = await openIssuer(world, directory, deps);
  await issuer.mint(request());
  await issuer.close();
});

test('of a key that was removed its file is gone, too', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer({ keys: 'file' }), deps);
  const wish = { now: true, reason: 'drill', by: 'x' };
  for (let i = 0; i < 3; i += 1) await rotateKeys(issuer, wish);
  const [left] = await issuer.keys();
  assert.deepEqual(readdirSync(`${directory}/keys`), [`${left?.kid}.pem`]);
  // As a program leaves it that is killed after the record says so.
  const removed = (await issuer.keys({ removed: true })).find(({ state }) => state === 'removed');
  writeFileSync(`${directory}/keys/${removed?.kid}.pem`, pemOf().reveal(), { mode: 0o600 });
  const early = isFault('rotation-early');
  await assert.rejects(rotateKeys(issuer, { now: false, by: 'x' }), early);
  assert.deepEqual(readdirSync(`${directory}/keys`), [`${left?.kid}.pem`]);
  renameSync(`${directory}/keys`, `${directory}/elsewhere`);
  await assert.rejects(rotateKeys(issuer, { now: false, by: 'x' }), early);
  await issuer.close();
});

test('a key that is not on disk is not recorded', async () => {
  const directory = freshDirectory();
  await (await createIssuer(world, directory, newIssuer({ keys: 'file' }), deps)).close();
  const faulty = { ...world, files: faultyFiles(world.files, [{ op: 'write', path: '/keys/', code: 'ENOSPC' }]) };
  const issuer = await openIssuer(faulty, directory, deps);
  await assert.rejects(rotateKeys(issuer, { now: true, reason: 'drill', by: 'x' }), isFault('state-write-failed'));
  assert.equal((await issuer.keys()).length, 1);
  assert.equal(readdirSync(`${directory}/keys`).length, 1);
  await issuer.close();
});

test('keys of others are taken over with the kid they have: first to sign, then to come next', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer({ algorithm: 'none' }), deps);
  await assert.rejects(issuer.mint(request()), isFault('signing-key-missing'));
  const pem = pemOf();
  const key = await importKey(issuer, { pem, kid: 'c013', by: 'import' });
  assert.deepEqual(
    [key.kid, key.state, key.origin, key.publishedAt],
    ['c013', 'signing', 'imported', world.clock.now()],
  );
  assert.equal(key.lastExpiry, world.clock.now() + hours(6));
  const minted = await issuer.mint(request());
  assert.equal((await verified(issuer, minted.token.reveal())).protectedHeader.kid, 'c013');
  const next = await importKey(issuer, { pem: pemOf(), kid: 'a/b', by: 'import' });
  assert.deepEqual([next.state, next.publishedAt], ['next', undefined]);
  const usage = isFault('usage');
  await assert.rejects(importKey(issuer, { pem, kid: 'other', by: 'import' }), usage);
  await assert.rejects(importKey(issuer, { pem: pemOf(), kid: 'c013', by: 'import' }), usage);
  await assert.rejects(importKey(issuer, { pem: pemOf(), kid: 'a b', by: 'import' }), usage);
  await assert.rejects(importKey(issuer, { pem: pemOf(), by: 'import' }), usage);
  await assert.rejects(importKey(issuer, { pem: pemOf(), state: 'signing', by: 'import' }), usage);
  const retired = await importKey(issuer, { pem: pemOf(), kid: 'e42e', state: 'retired', by: 'import' });
  assert.equal(retired.retiredAt, world.clock.now());
  await assert.rejects(
    importKey(issuer, { pem: pemOf({ namedCurve: 'P-384' }), by: 'import' }),
    isFault('signing-key-unusable'),
  );
  await issuer.close();
});

test('a key that was removed does not come back under another kid', async () => {
  const issuer = await createIssuer(world, freshDirectory(), newIssuer({ algorithm: 'none' }), deps);
  const pem = pemOf();
  await importKey(issuer, { pem, kid: 'stolen', by: 'import' });
  for (let step = 0; step < 3; step += 1) await rotateKeys(issuer, { now: true, reason: 'it was stolen', by: 'x' });
  assert.deepEqual(
    (await issuer.keys({ removed: true })).map(({ kid, state }) => (kid === 'stolen' ? state : 'another')).toSorted(),
    ['another', 'removed'],
  );
  for (const kid of [undefined, 'stolen', 'new']) {
    const named = kid === undefined ? {} : { kid };
    await assert.rejects(importKey(issuer, { pem, ...named, state: 'retired', by: 'import' }), (thrown) => {
      return (
        isFault('usage')(thrown) && /^this key was removed here, where it had the kid stolen,/.test(thrown.message)
      );
    });
  }
  assert.equal((await issuer.keys()).length, 1);
  await issuer.close();
});

test('issuer.yaml is kept by its directory, which is not opened where others may enter it', async () => {
  const directory = freshDirectory();
  await (await createIssuer(world, directory, newIssuer(), deps)).close();
  chmodSync(`${directory}/issuer.yaml`, 0o666);
  await (await openIssuer(world, directory, deps)).close();
  for (const mode of [0o710, 0o755, 0o777]) {
    chmodSync(directory, mode);
    await assert.rejects(openIssuer(world, directory, deps), isFault('state-unsafe'));
  }
});

test('a kid with odd characters makes no odd file', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer({ algorithm: 'none', keys: 'file' }), deps);
  await importKey(issuer, { pem: pemOf(), kid: '../../x', by: 'import' });
  assert.match(String(readdirSync(`${directory}/keys`)), /^[\w-]{43}\.pem$/);
  await issuer.mint(request());
  await issuer.close();
});

test('a database that is gone, empty or damaged is not begun anew: it would look as if nothing was ever signed', async () => {
  const directory = freshDirectory();
  await (await createIssuer(world, directory, newIssuer(), deps)).close();
  const says = (part: RegExp) => (thrown: unknown) =>
    isFault('state-broken')(thrown) && part.test(thrown.message) && /from a backup/.test(String(thrown.hint));
  writeFileSync(`${directory}/issuer.db`, 'not a database, whatever its name says');
  await assert.rejects(openIssuer(world, directory, deps), says(/is damaged/));
  writeFileSync(`${directory}/issuer.db`, '');
  await assert.rejects(openIssuer(world, directory, deps), says(/gone or empty/));
  rmSync(`${directory}/issuer.db`);
  await assert.rejects(openIssuer(world, directory, deps), says(/gone or empty/));
  assert.deepEqual(readdirSync(directory), ['issuer.yaml']);
});

test('an import that was broken off after the key was written goes on; the file of another key is not touched', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer({ algorithm: 'none', keys: 'file' }), deps);
  const [pem, other] = [pemOf(), pemOf()];
  mkdirSync(`${directory}/keys`, { mode: 0o700 });
  for (const kid of ['c013', 'e42e']) writeFileSync(`${directory}/keys/${kid}.pem`, pem.reveal(), { mode: 0o600 });
  await importKey(issuer, { pem, kid: 'c013', by: 'import' });
  await issuer.mint(request());
  await assert.rejects(
    importKey(issuer, { pem: other, kid: 'e42e', by: 'import' }),
    (thrown) => isFault('state-write-failed')(thrown) && /move the file away/.test(String(thrown.hint)),
  );
  assert.equal(readFileSync(`${directory}/keys/e42e.pem`, 'utf8'), pem.reveal());
  await issuer.close();
});

test('an issuer is not made where there is one, nor for a URL that cannot be one; a broken start goes on', async () => {
  const directory = freshDirectory();
  const faulty = {
    ...world,
    files: faultyFiles(world.files, [{ op: 'createExclusive', path: 'issuer.yaml', code: 'ENOSPC' }]),
  };
  await assert.rejects(createIssuer(faulty, directory, newIssuer(), deps), isFault('state-write-failed'));
  await assert.rejects(openIssuer(world, directory, deps), isFault('issuer-missing'));
  const issuer = await createIssuer(world, directory, newIssuer(), deps);
  assert.equal((await issuer.keys()).length, 1);
  await issuer.close();
  await assert.rejects(createIssuer(world, directory, newIssuer(), deps), isFault('issuer-exists'));
  const query = newIssuer({ url: 'https://x.org/?a' as typeof url });
  await assert.rejects(createIssuer(world, freshDirectory(), query, deps), isFault('usage'));
});

test('how long a key has to stay is written down only now and then, and never too early', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer(), deps);
  let latest = 0;
  for (let i = 0; i < 40; i += 1) {
    world.clock.advance(millis(60_001));
    latest = Math.max(latest, (await issuer.mint(request())).expiresAt);
    const noted = (await issuer.keys())[0]?.lastExpiry ?? 0;
    assert.ok(noted >= latest && noted <= latest + 15 * 60_000);
  }
  await issuer.close();
});

test('what a stranger asked for is cut in the log, which says how much more it was', async () => {
  const directory = freshDirectory();
  const issuer = await createIssuer(world, directory, newIssuer(), deps);
  const many = Array.from({ length: 1000 }, () => 'x'.repeat(10_000));
  await assert.rejects(issuer.mint(request({ subject: 'y'.repeat(100_000), scopes: many })), isFault('policy-refused'));
  const database = new DatabaseSync(`${directory}/issuer.db`, { readOnly: true });
  const row = database.prepare('SELECT LENGTH(line) AS length FROM issuer_audit ORDER BY seq DESC LIMIT 1').get();
  database.close();
  assert.ok(Number(row?.['length']) < 16_000, String(row?.['length']));
  const [line] = await issuer.audit.lines({ limit: 1 });
  const { subject, scopes } = line?.entry ?? {};
  assert.equal(subject, `${'y'.repeat(255)}… (99745 more characters)`);
  assert.deepEqual(
    [scopes?.length, scopes?.[0], scopes?.at(-1)],
    [51, `${'x'.repeat(255)}… (9745 more characters)`, '… and 950 more'],
  );
  await issuer.close();
});

test('a token that no verifier would take for its length is refused, with a line in the log as for every refusal', async () => {
  const issuer = await createIssuer(world, freshDirectory(), newIssuer(), deps);
  const long = request({ claims: { email: 'x'.repeat(20_000) } });
  await assert.rejects(issuer.mint(long), isFault('policy-refused'));
  await assert.rejects(
    issuer.database.write((session) => issuer.mintIn(session, long)),
    isFault('policy-refused'),
  );
  await issuer.mint(request());
  const told = (await issuer.audit.lines({})).map(({ entry }) => entry.reason).filter((reason) => reason !== undefined);
  assert.equal(told.length, 2);
  assert.match(String(told[0]), /longer than 16384 characters/);
  await issuer.close();
});
