import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeProtectedHeader, importSPKI, jwtVerify } from 'jose';
import { signingKey } from '../../src/acquire/signing-key.ts';
import { type LocalIssuer, prepareLocalIssuer } from '../../src/condor/local-issuer.ts';
import { readLocalKeySets } from '../../src/condor/public-keys.ts';
import type { LocalProvider } from '../../src/condor/settings.ts';
import type { SigningKeyAccount } from '../../src/config/config.ts';
import { Fault } from '../../src/fault/fault.ts';
import type { Issuer, Minted } from '../../src/mint/issuer.ts';
import { openIssuer } from '../../src/mint/open-issuer.ts';
import { ownIssuers } from '../../src/mint/own-issuers.ts';
import type { MintRequest } from '../../src/mint/policy.ts';
import { decodeJwt } from '../../src/token/jwt.ts';
import type { AccountName } from '../../src/token/names.ts';
import { days, millis, minutes, seconds } from '../../src/token/time.ts';
import { createVerifier } from '../../src/verify/index.ts';
import { faultyFiles } from '../../src/world/faulty-files.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { contextOf, testWorld, wish } from '../acquire/grant-samples.ts';
import { isFault } from '../mint/issuer-bed.ts';
import { depsOf, freshPlace, providerIn } from './local-bed.ts';

async function withIssuer<T>(
  place: string,
  { directory }: LocalIssuer,
  work: (issuer: Issuer) => Promise<T>,
): Promise<T> {
  const { world, sealer } = depsOf(place);
  const issuer = await openIssuer(world, directory, { sealer, chain: 'local' });
  try {
    return await work(issuer);
  } finally {
    await issuer.close();
  }
}

const requestOf = ({ audience, lifetime }: LocalProvider, more: Partial<MintRequest> = {}): MintRequest => ({
  subject: 'alice',
  audiences: audience,
  everyone: false,
  scopes: ['read:/user/alice', 'write:/user/alice'],
  groups: [],
  lifetime,
  claims: {},
  by: 'renew alice/scitokens',
  deliveredTo: ['alice/scitokens.use'],
  ...more,
});

async function tokenOf(place: string, provider: LocalProvider, more: Partial<MintRequest> = {}): Promise<Minted> {
  const prepared = await prepareLocalIssuer(depsOf(place), provider);
  return await withIssuer(place, prepared, (issuer) => issuer.mint(requestOf(provider, more)));
}

/** What LocalCredmon.py of HTCondor makes of these knobs, with scitokens-python below it. */
function shippedClaims({ profile, version, audience, issuer }: LocalProvider): Record<string, unknown> {
  const mark = profile === 'wlcg' ? { 'wlcg.ver': '1.0' } : version === '' ? {} : { ver: version };
  const scope = 'read:/user/alice write:/user/alice';
  return { sub: 'alice', scope, ...mark, ...(audience.length === 0 ? {} : { aud: audience }), iss: issuer };
}

function partsOf({ token }: Minted) {
  const decoded = decodeJwt(token.reveal());
  assert.ok(decoded.kind === 'jwt');
  const { iat, nbf, exp, jti, ...claims } = decoded.claims as Record<string, unknown>;
  return { header: decodeProtectedHeader(token.reveal()), claims, jti, times: [iat, nbf, exp] as readonly number[] };
}

const profiles: readonly Partial<LocalProvider>[] = [
  {},
  { audience: ['https://se.example.org', 'ce.example.org:9619', 'ANY'] },
  { profile: 'wlcg', version: 'wlcg:1.0' },
  { profile: 'wlcg', version: 'wlcg', audience: [] },
  { version: 'scitokens:2.0', audience: ['https://wlcg.cern.ch/jwt/v1/any'] },
  { version: '', audience: [] },
];
for (const knobs of profiles) {
  test(`a token has the header and the claims that HTCondor's own has, for ${JSON.stringify(knobs)}`, async () => {
    const place = freshPlace();
    const provider = providerIn(place, knobs);
    const minted = await tokenOf(place, provider);
    const { header, claims, jti, times } = partsOf(minted);
    assert.deepEqual(header, { typ: 'JWT', alg: 'ES256', kid: 'local' });
    assert.deepEqual(claims, shippedClaims(provider));
    assert.match(String(jti), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const [iat = 0, nbf = 0, exp = 0] = times;
    assert.equal(exp - iat, 1200);
    assert.ok(nbf <= iat, 'clocks that are behind are met, beyond what HTCondor does');
  });
}

for (const algorithm of ['ES256', 'RS256'] as const) {
  test(`a missing key is made for ${algorithm} in the form of HTCondor's own, and jose and our verifier accept what it signs`, async () => {
    const place = freshPlace();
    const provider = providerIn(place, { algorithm });
    const text = (await tokenOf(place, provider)).token.reveal();
    const pem = readFileSync(provider.privateKey, 'utf8');
    assert.ok(pem.startsWith(`-----BEGIN ${algorithm === 'ES256' ? 'EC' : 'RSA'} PRIVATE KEY-----`), pem.slice(0, 40));
    const modes = [provider.privateKey, provider.publicKey].map((path) => statSync(path).mode & 0o777);
    assert.deepEqual(modes, [0o600, 0o644]);
    const key = await importSPKI(readFileSync(provider.publicKey, 'utf8'), algorithm);
    await jwtVerify(text, key, { issuer: provider.issuer, audience: 'https://se.example.org' });
    const { sets } = await readLocalKeySets(depsOf(place).world, [provider]);
    await using verifier = createVerifier({
      issuers: [{ issuer: provider.issuer, jwks: JSON.stringify(sets.get(provider.issuer)) }],
      audiences: ['https://se.example.org'],
    });
    const answer = await verifier.verify(text);
    assert.equal(answer.kind, 'valid', JSON.stringify(answer));
  });
}

test('each token is in the audit log, and its account signs through the grant of all issuers of our own', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  const { directory, remarks } = await prepareLocalIssuer(depsOf(place), provider);
  assert.deepEqual([directory, remarks], [`${place}/state/local/scitokens`, []]);
  const world = testWorld();
  const issuers = ownIssuers(world, { sealer: async () => depsOf(place).sealer(), chain: 'local' });
  const account: SigningKeyAccount = {
    name: 'condor:scitokens' as AccountName,
    at: { file: 'condor_config', line: 1, column: 1 },
    issuer: { kind: 'of-credential' },
    audienceStyle: 'auto',
    timeout: seconds(10),
    fingerprint: 'a1',
    grant: 'signing_key',
    keys: directory,
  };
  const asked = { ...wish('https://se.example.org', 'read:/user/bob'), subject: 'bob', lifetime: provider.lifetime };
  const raw = await signingKey.send({ ...contextOf(world, account), ownIssuers: issuers }, asked);
  assert.ok(raw.kind === 'raw', JSON.stringify(raw));
  const { jti } = partsOf({ token: { reveal: () => JSON.parse(raw.body).access_token } } as unknown as Minted);
  const issuer = await issuers.at(directory);
  const [line] = await issuer.audit.lines({ jti: String(jti) });
  assert.deepEqual([line?.entry.event, line?.entry.subject, line?.entry.kid], ['issued', 'bob', 'local']);
  assert.equal((await issuer.audit.verify()).kind, 'whole');
  await issuers.close();
  await world.http.close();
});

test("HTCondor's template is the policy: other scopes, audiences and longer lives are not signed", async () => {
  const place = freshPlace();
  const authz = { template: 'read:/user/{username}/data condor:/READ', groupTemplate: 'write:/groups/{groupname}' };
  const provider = providerIn(place, { authz });
  const scopes = ['read:/user/a.b-c+d=e/data', 'condor:/READ', 'write:/groups/cms'];
  const minted = await tokenOf(place, provider, { subject: 'a.b-c+d=e', scopes, lifetime: days(1) });
  assert.deepEqual(minted.scopes, scopes);
  assert.match(minted.remarks.join(), /cut from 24 h to 20 min/);
  for (const more of [
    { scopes: ['write:/user/alice'] },
    { scopes: ['condor:/WRITE'] },
    { audiences: ['ANY'] },
    { audiences: [], groups: ['/cms'] },
  ]) {
    await assert.rejects(tokenOf(place, provider, more), isFault('policy-refused'), JSON.stringify(more));
  }
});

test('an unusual lifetime is signed as it is configured', async () => {
  const place = freshPlace();
  for (const lifetime of [minutes(5), days(3), millis(1_234_000)]) {
    const [iat = 0, , exp = 0] = partsOf(await tokenOf(place, providerIn(place, { lifetime }))).times;
    assert.equal(exp - iat, lifetime / 1000);
  }
});

test('scitoken:2.0 without an audience is refused with the name of the knob, before anything is made', async () => {
  const place = freshPlace();
  const provider = providerIn(place, { audience: [], version: 'SciToken:2.0' });
  await assert.rejects(
    prepareLocalIssuer(depsOf(place), provider),
    (thrown) => isFault('config-invalid')(thrown) && /LOCAL_CREDMON_TOKEN_AUDIENCE/.test((thrown as Error).message),
  );
  assert.equal(existsSync(provider.privateKey), false);
});

test('what no token can be made of is refused with the knob it stands in', async () => {
  const place = freshPlace();
  const cases: readonly (readonly [Partial<LocalProvider>, RegExp])[] = [
    [{ issuer: 'ap.example.org' }, /LOCAL_CREDMON_ISSUER .*is not a URL/],
    [{ authz: { template: 'read:/user/{user}' } }, /AUTHZ_TEMPLATE holds \{user\}/],
    [{ authz: { template: 'storage.raed:/' } }, /LOCAL_CREDMON_\*: .*storage\.read/],
    [{ keyId: 'two words' }, /LOCAL_CREDMON_\*: "two words" is no kid/],
  ];
  for (const [knobs, message] of cases) {
    const refused = prepareLocalIssuer(depsOf(place), providerIn(place, knobs));
    await assert.rejects(refused, (thrown) => {
      assert.ok(isFault('config-invalid')(thrown), String(thrown));
      assert.match((thrown as Error).message, message);
      return true;
    });
  }
});

test('where both knobs name one file, no key is made that everybody could read', async () => {
  const place = freshPlace();
  const path = `${place}/key.pem`;
  const refused = prepareLocalIssuer(depsOf(place), providerIn(place, { privateKey: path, publicKey: path }));
  await assert.rejects(refused, (thrown) => isFault('config-invalid')(thrown) && /PUBLIC_KEY/.test(String(thrown)));
  assert.equal(existsSync(path), false);
});

test('a key of another kind, an open one and none at all are Faults that quote nothing of it', async () => {
  const place = freshPlace();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = providerIn(place);
  writeFileSync(provider.privateKey, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  await assert.rejects(prepareLocalIssuer(depsOf(place), provider), isFault('signing-key-unusable'));
  assert.equal(existsSync(provider.publicKey), false);
  await prepareLocalIssuer(depsOf(place), { ...provider, algorithm: 'RS256' });
  chmodSync(provider.privateKey, 0o604);
  await assert.rejects(
    prepareLocalIssuer(depsOf(place), { ...provider, algorithm: 'RS256' }),
    isFault('secret-unreadable'),
  );
  const nowhere = { ...provider, privateKey: `${place}/none/k.pem` };
  await assert.rejects(prepareLocalIssuer(depsOf(place), nowhere), isFault('config-unwritable'));
});

test('a key of an admin stays as it is, its missing public half is written, and one that does not fit is told of', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(provider.privateKey, pem, { mode: 0o640 });
  chmodSync(provider.privateKey, 0o640);
  const { remarks } = await prepareLocalIssuer(depsOf(place), provider);
  assert.match(remarks.join(), /open to its group/);
  assert.equal(readFileSync(provider.privateKey, 'utf8'), pem);
  assert.ok(isPair(provider));
  writeFileSync(
    provider.publicKey,
    createPublicKey(
      String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' })),
    ).export({ type: 'spki', format: 'pem' }),
  );
  assert.match((await prepareLocalIssuer(depsOf(place), provider)).remarks.join(), /is not the other half/);
});

function isPair({ privateKey, publicKey }: LocalProvider): boolean {
  const key = createPublicKey(createPrivateKey(readFileSync(privateKey)));
  return createPublicKey(readFileSync(publicKey)).equals(key);
}

const statesOf = (place: string, prepared: LocalIssuer) =>
  withIssuer(place, prepared, async (issuer) =>
    Object.fromEntries((await issuer.keys({ removed: true })).map(({ kid, state }) => [kid, state])),
  );

test('a new key under a new KEY_ID signs at once and the one before is retired; going back is the same again', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  const first = await tokenOf(place, provider);
  const renewed = { ...provider, keyId: 'k2', privateKey: `${place}/k2.pem`, publicKey: `${place}/k2-public.pem` };
  const prepared = await prepareLocalIssuer(depsOf(place), renewed);
  assert.match(prepared.remarks.join(), /the key k2 signs now in place of local/);
  assert.deepEqual(await statesOf(place, prepared), { local: 'retired', k2: 'signing' });
  const second = await tokenOf(place, renewed);
  assert.deepEqual([first.kid, second.kid], ['local', 'k2']);
  assert.deepEqual((await prepareLocalIssuer(depsOf(place), renewed)).remarks, []);
  const back = await prepareLocalIssuer(depsOf(place), provider);
  assert.deepEqual(await statesOf(place, back), { local: 'signing', k2: 'retired' });
  const events = await withIssuer(place, back, async (issuer) => {
    assert.equal((await issuer.audit.verify()).kind, 'whole');
    return (await issuer.audit.lines({})).map(({ entry }) => `${entry.event} ${entry.kid}`);
  });
  assert.deepEqual([...events].filter((event) => event.startsWith('key-')).sort(), [
    'key-imported k2',
    'key-imported local',
    'key-retired k2',
    'key-retired local',
    'key-signing local',
  ]);
});

test('another key under the same KEY_ID signs at once, also in a program that holds the issuer, and a remark says what that costs', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  const prepared = await prepareLocalIssuer(depsOf(place), provider);
  const { world, sealer } = depsOf(place);
  const clock = new TestClock();
  const issuer = await openIssuer({ ...world, clock }, prepared.directory, { sealer, chain: 'local' });
  await issuer.mint(requestOf(provider));
  rmSync(provider.privateKey);
  const again = await prepareLocalIssuer(depsOf(place), provider);
  assert.match(again.remarks.join(), /another key signs as local now/);
  assert.ok(isPair(provider));
  clock.advance(seconds(1));
  const { token } = await issuer.mint(requestOf(provider));
  const currentDate = new Date(clock.now());
  await jwtVerify(token.reveal(), createPublicKey(readFileSync(provider.publicKey)), { currentDate });
  assert.deepEqual(await statesOf(place, again), { local: 'signing' });
  await issuer.close();
});

test('the same key under another KEY_ID is two keys to services', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  await prepareLocalIssuer(depsOf(place), provider);
  const prepared = await prepareLocalIssuer(depsOf(place), { ...provider, keyId: 'named' });
  assert.deepEqual(await statesOf(place, prepared), { local: 'retired', named: 'signing' });
});

test('another ISSUER is another issuer with an audit log of its own, and going back finds the first again', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  const other = { ...provider, issuer: 'https://other.example.org' };
  const places = [];
  for (const one of [provider, other, provider, other])
    places.push((await prepareLocalIssuer(depsOf(place), one)).directory);
  const [first, second = ''] = places;
  assert.deepEqual(places, [first, second, first, second]);
  assert.match(second, /\/local\/scitokens@[0-9a-f]{12}$/);
  assert.equal(partsOf(await tokenOf(place, other)).claims['iss'], 'https://other.example.org');
});

test('issuer.yaml says where it comes from; changes of it are undone, but who is suspended stays suspended', async () => {
  const place = freshPlace();
  const provider = providerIn(place);
  const prepared = await prepareLocalIssuer(depsOf(place), provider);
  const file = `${prepared.directory}/issuer.yaml`;
  const text = readFileSync(file, 'utf8');
  assert.match(
    text,
    /^# Made by tokeep-credmon from HTCondor's configuration \(LOCAL_CREDMON_\*\) for the provider scitokens/,
  );
  assert.match(text, /^htcondor: \{ ver: "scitoken:2\.0" \}$/m);
  const before = statSync(file).ino;
  await prepareLocalIssuer(depsOf(place), provider);
  assert.equal(statSync(file).ino, before, 'nothing is written where nothing changes');
  const changed = text.replace(/ {2}suspend: .*/, '  suspend: [mallory]').replace('read:/user/*', 'read:/');
  writeFileSync(file, changed);
  await assert.rejects(tokenOf(place, provider, { subject: 'mallory' }), /mallory is suspended/);
  assert.ok(!readFileSync(file, 'utf8').includes('"read:/"'));
  writeFileSync(file, 'policy: [');
  await assert.rejects(prepareLocalIssuer(depsOf(place), provider), isFault('config-invalid'));
});

/** It signs with the key whose halves lie there. */
async function assertWhole(place: string): Promise<void> {
  const provider = providerIn(place);
  const { token } = await tokenOf(place, provider);
  await jwtVerify(token.reveal(), createPublicKey(readFileSync(provider.publicKey)));
  assert.ok(isPair(provider));
}

test('broken off at any of its steps by the disk it is whole after the next start', async () => {
  const broken: string[] = [];
  for (const op of [
    'openDirectory',
    'createExclusive',
    'write',
    'sync',
    'syncDirectory',
    'rename',
    'readText',
  ] as const) {
    for (let nth = 1, met = true; met; nth += 1) {
      const place = freshPlace();
      const deps = depsOf(place);
      met = false;
      const meanwhile = () => {
        met = true;
      };
      const files = faultyFiles(deps.world.files, [{ op, nth, code: 'EIO', meanwhile }]);
      const world = { ...deps.world, files };
      const ended = await prepareLocalIssuer({ ...deps, world }, providerIn(place)).then(
        () => 'whole',
        (thrown: unknown) => (thrown instanceof Fault ? 'fault' : String(thrown)),
      );
      assert.ok(ended === 'fault' || ended === 'whole', `${op} ${nth}: ${ended}`);
      if (ended === 'fault') broken.push(`${op} ${nth}`);
      await assertWhole(place);
    }
  }
  assert.ok(broken.length >= 10, broken.join());
});

test('killed between the halves of its key, before its settings and before its key signs it is whole after the next start', async () => {
  for (const [op, nth] of [
    ['createExclusive', 2],
    ['createExclusive', 6],
    ['readText', 3],
  ] as const) {
    const place = freshPlace();
    const program = `${import.meta.dirname}/killed-local-issuer.ts`;
    const ended = spawnSync(process.execPath, [program, place, op, String(nth)], { encoding: 'utf8' });
    assert.deepEqual([ended.signal, ended.stdout], ['SIGKILL', ''], ended.stderr);
    await assertWhole(place);
  }
});
