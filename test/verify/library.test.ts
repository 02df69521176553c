import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clientCredentials } from '../../src/acquire/client-credentials.ts';
import type { RawAnswer } from '../../src/acquire/grant.ts';
import { createVerifier, decide, everywhere, type IssuerOptions } from '../../src/verify/index.ts';
import { contextOf, robotAccount, testWorld, wish } from '../acquire/grant-samples.ts';
import {
  dropInBody,
  hostileIssuer,
  html200,
  json,
  neverEnding,
  packed,
  redirect,
  type Step,
} from '../peers/hostile-issuer.ts';
import { robot, startIssuer } from '../peers/start-issuer.ts';
import { jwksOf, makeKey, ourAudience, signToken } from './signing.ts';

const world = testWorld();
const issuer = await startIssuer({ tls: 'throw-away-ca' });
const caFile = issuer.caFile ?? '';
after(async () => {
  await world.http.close();
  await issuer.stop();
});

const audiences = ['https://storage.example'];
const trusted: IssuerOptions = { issuer: issuer.issuer, caFile };

/** As a robot gets it from an issuer that nobody here wrote. */
async function tokenOfIssuer(): Promise<string> {
  const account = { ...robotAccount(issuer.issuer, robot), caFile };
  const context = contextOf(world, account);
  const raw = await clientCredentials.send(context, wish(audiences[0], 'storage.read:/'));
  const outcome = clientCredentials.judge(raw as RawAnswer, context);
  assert.ok(outcome.kind === 'token', JSON.stringify(outcome));
  return outcome.token.reveal();
}

const directoryOf = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'verify-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
};

test('a token of a real issuer is verified with the keys it publishes, and says what it allows', async () => {
  await using verifier = createVerifier({ issuers: [trusted], audiences });
  const answer = await verifier.verify(await tokenOfIssuer());
  assert.ok(answer.kind === 'valid', JSON.stringify(answer));
  assert.equal(decide(answer.token, { action: 'read', path: '/data/a' }, everywhere).kind, 'allowed');
  assert.equal(verifier.counters().keys[issuer.issuer]?.fetched, 1);
  const other = createVerifier({ issuers: [trusted], audiences: ['https://other.example'] });
  const refused = await other.verify(await tokenOfIssuer());
  assert.equal(refused.kind === 'refused' && refused.code, 'audience');
});

test('without its CA the issuer is not believed, and the sentence says so', async () => {
  await using verifier = createVerifier({ issuers: [{ issuer: issuer.issuer }], audiences });
  const answer = await verifier.verify(await tokenOfIssuer());
  assert.equal(answer.kind === 'refused' && answer.code, 'keys-unavailable');
  assert.match(JSON.stringify(answer), /certificate/);
});

test('a restarted service verifies while its issuer is away, with the keys on disk', async () => {
  await using directory = await directoryOf();
  const keyDirectory = join(directory.path, 'deep', 'keys');
  const options = { issuers: [trusted], audiences, keyDirectory };
  const token = await tokenOfIssuer();
  {
    await using before = createVerifier(options);
    await before.ready();
  }
  const [file = ''] = await readdir(keyDirectory);
  assert.equal((await stat(keyDirectory)).mode & 0o777, 0o700);
  assert.equal((await stat(join(keyDirectory, file))).mode & 0o777, 0o600);
  await issuer.kill();
  try {
    await using after = createVerifier(options);
    assert.equal(after.verifyNow(token).kind, 'keys-needed');
    assert.equal((await after.verify(token)).kind, 'valid');
    await using without = createVerifier({ issuers: [trusted], audiences });
    assert.equal((await without.verify(token)).kind, 'refused');
  } finally {
    await issuer.restart();
  }
});

test('a key that is newer than the keys on disk is looked for at once', async () => {
  await using directory = await directoryOf();
  await using peer = await hostileIssuer();
  const [old, young] = [makeKey('old'), makeKey('young')];
  peer.metadata({ jwks_uri: `${peer.issuer}/keys` });
  const options = { issuers: [{ issuer: peer.issuer }], audiences: [ourAudience], keyDirectory: directory.path };
  peer.always(json(200, jwksOf(old)));
  await createVerifier(options).ready();
  peer.always(json(200, jwksOf(old, young)));
  await using verifier = createVerifier(options);
  const now = Math.floor(Date.now() / 1000);
  const token = (key = young) => signToken(key, { claims: { iss: peer.issuer, iat: now, nbf: now, exp: now + 600 } });
  assert.equal((await verifier.verify(token(old))).kind, 'valid');
  peer.assertRequests(1);
  assert.equal((await verifier.verify(token())).kind, 'valid');
  peer.assertRequests(2);
  await using direct = createVerifier({ ...options, keyDirectory: join(directory.path, 'none') });
  assert.equal((await direct.verify(token(makeKey('made-up')))).kind, 'refused');
  peer.assertRequests(3);
});

test('keys on disk that are old, of another issuer, damaged, or open to others are not used', async () => {
  await using directory = await directoryOf();
  const key = makeKey('disk');
  const name = 'https://127.0.0.1:1';
  const now = Math.floor(Date.now() / 1000);
  const token = signToken(key, { claims: { iss: name, iat: now, nbf: now, exp: now + 600 } });
  const keyDirectory = directory.path;
  const verified = async () => {
    await using verifier = createVerifier({ issuers: [{ issuer: name }], audiences: [ourAudience], keyDirectory });
    return (await verifier.verify(token)).kind;
  };
  const { createHash } = await import('node:crypto');
  const file = join(keyDirectory, `${createHash('sha256').update(name).digest('hex')}.json`);
  const write = async (change: object) => {
    const stored = { issuer: name, fetchedAt: Date.now() - 1000, text: jwksOf(key), ...change };
    await writeFile(file, JSON.stringify(stored), { mode: 0o600 });
  };
  await write({});
  assert.equal(await verified(), 'valid');
  const odd = [
    { fetchedAt: Date.now() - 3 * 86_400_000 },
    { fetchedAt: Date.now() + 3_600_000 },
    { fetchedAt: 'now' },
    { issuer: `${name}/` },
    { text: '{' },
    { text: '{"keys":[]}' },
    { text: jwksOf(makeKey('disk')) },
  ];
  for (const change of odd) {
    await write(change);
    assert.equal(await verified(), 'refused', JSON.stringify(change).slice(0, 80));
  }
  await writeFile(file, '{"issuer":');
  assert.equal(await verified(), 'refused');
  await write({});
  await chmod(file, 0o666);
  assert.equal(await verified(), 'refused', 'a file that others may write to was used');
  await chmod(file, 0o600);
  await chmod(keyDirectory, 0o777);
  assert.equal(await verified(), 'refused', 'a directory that others may write to was used');
});

test('scenario 27: whatever an issuer answers, verifying ends with a refusal', async () => {
  const key = makeKey('k');
  const now = Math.floor(Date.now() / 1000);
  const steps: readonly Step[] = [
    html200,
    redirect('https://evil.example/'),
    packed,
    dropInBody,
    neverEnding,
    json(200, '{"keys":[]}'),
  ];
  for (const step of steps) {
    await using peer = await hostileIssuer();
    peer.metadata({ jwks_uri: `${peer.issuer}/keys` });
    peer.always(step);
    await using verifier = createVerifier({ issuers: [{ issuer: peer.issuer }], audiences: [ourAudience] });
    const token = signToken(key, { claims: { iss: peer.issuer, iat: now, nbf: now, exp: now + 600 } });
    const answer = await verifier.verify(token);
    assert.equal(answer.kind === 'refused' && answer.code, 'keys-unavailable', JSON.stringify(answer));
    const [standing] = verifier.standings();
    assert.equal(standing?.standing, 'none');
    peer.always(json(200, jwksOf(key)));
    await verifier.verify(token);
    peer.assertRequests(1);
  }
});

test('mistakes in the options are told of when the verifier is made', () => {
  assert.throws(() => createVerifier({ issuers: [{ issuer: 'https://i.example' }], audiences: [] }), {
    code: 'usage',
    message: /no audience is given/,
  });
  assert.throws(() => createVerifier({ issuers: [], audiences: ['a'], expiryHours: 1000 }), { code: 'config-invalid' });
  const issuers = [{ issuer: 'https://i.example', jwks: 'x' }];
  assert.throws(
    () => createVerifier({ issuers, audiences: ['a'] }),
    /the key set given for https:\/\/i\.example is no key set/,
  );
});

test('settings of an issuer are stronger than those of the verifier', async () => {
  const key = makeKey('k');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'https://i.example',
    iat: now + 30,
    nbf: now,
    exp: now + 600,
    aud: 'https://wlcg.cern.ch/jwt/v1/any',
  };
  const judged = (change: Partial<IssuerOptions>) => {
    const issuers = [{ issuer: 'https://i.example', jwks: jwksOf(key), ...change }];
    const answer = createVerifier({ issuers, audiences: ['a'] }).verifyNow(signToken(key, { claims }));
    return answer.kind === 'refused' ? answer.code : answer.kind;
  };
  assert.equal(judged({}), 'valid');
  assert.equal(judged({ everyone: false }), 'audience');
  assert.equal(judged({ tolerance: 5 }), 'issued-in-future');
  assert.equal(judged({ longestLife: 60 }), 'lives-too-long');
  assert.equal(judged({ algorithms: ['RS256'] }), 'algorithm');
  assert.equal(judged({ profiles: ['scitokens2'] }), 'profile');
  assert.equal(judged({ everyone: false, audiences: ['https://wlcg.cern.ch/jwt/v1/any'] }), 'valid');
});

test('the example at the head of the library is what the library has', async () => {
  const text = await readFile('src/verify/index.ts', 'utf8');
  const example = /\* {5}import \{ (.*) \} from 'tokeep\/verify'/.exec(text)?.[1]?.split(', ') ?? [];
  const library = await import('../../src/verify/index.ts');
  for (const name of example) assert.ok(name in library, name);
});
