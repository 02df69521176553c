import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { calculateJwkThumbprint, importJWK } from 'jose';
import { announceAnew, prepareLocalIssuer } from '../../src/condor/local-issuer.ts';
import { localIssuerHead, localIssuerSettings } from '../../src/condor/local-issuer-settings.ts';
import { localKeySets, localMetadata, readLocalKeySets, unpublishedAdvice } from '../../src/condor/public-keys.ts';
import { createIssuer } from '../../src/mint/create-issuer.ts';
import { openIssuer } from '../../src/mint/open-issuer.ts';
import { rotateKeys } from '../../src/mint/rotate-keys.ts';
import { readSettings } from '../../src/mint/settings.ts';
import { settingsText } from '../../src/mint/settings-text.ts';
import { epoch, minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { depsOf, freshPlace, providerIn } from './local-bed.ts';

const now = epoch(Date.UTC(2026, 10, 22));
const pem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));
const ec = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve });
const one = ec();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const named = (provider: string, more = {}) => providerIn('/etc/condor', { provider, keyId: provider, ...more });

test('providers of one issuer have their keys in one set, those of another in theirs', async () => {
  const texts = [
    { provider: named('scitokens'), text: pem(one.publicKey) },
    { provider: named('chemistry'), text: pem(rsa.publicKey) },
    { provider: named('elsewhere', { issuer: 'https://ap.example.org/' }), text: pem(one.publicKey) },
  ];
  const { sets, findings } = localKeySets(texts, now);
  assert.deepEqual(findings, []);
  const kids = [...sets].map(([issuer, { keys }]) => [issuer, keys.map(({ kid, alg, use }) => `${kid} ${alg} ${use}`)]);
  assert.deepEqual(kids, [
    ['https://ap.example.org', ['scitokens ES256 sig', 'chemistry RS256 sig']],
    ['https://ap.example.org/', ['elsewhere ES256 sig']],
  ]);
  for (const key of sets.get('https://ap.example.org')?.keys ?? []) await importJWK({ ...key });
  const first = sets.get('https://ap.example.org')?.keys[0];
  assert.equal(
    await calculateJwkThumbprint({ ...first }),
    await calculateJwkThumbprint(one.publicKey.export({ format: 'jwk' })),
  );
});

test('a kid stands in a set once; another key under it is a finding', () => {
  const text = pem(one.publicKey);
  const provider = named('scitokens', { keyId: 'local' });
  const same = localKeySets(
    [
      { provider, text },
      { provider: named('chemistry', { keyId: 'local' }), text },
    ],
    now,
  );
  assert.deepEqual([same.sets.get(provider.issuer)?.keys.length, same.findings], [1, []]);
  const { sets, findings } = localKeySets(
    [
      { provider, text },
      { provider: named('chemistry', { keyId: 'local' }), text: pem(rsa.publicKey) },
    ],
    now,
  );
  assert.deepEqual(
    sets.get(provider.issuer)?.keys.map(({ alg }) => alg),
    ['ES256'],
  );
  assert.deepEqual(
    findings.map(({ knob }) => knob),
    ['LOCAL_CREDMON_chemistry_KEY_ID'],
  );
});

test('what is no public key to sign tokens with is a finding, and the others are published', async () => {
  const place = freshPlace();
  const write = (name: string, text: string) => {
    writeFileSync(`${place}/${name}.pem`, text);
    return named(name, { publicKey: `${place}/${name}.pem` });
  };
  mkdirSync(`${place}/directory.pem`);
  const providers = [
    write('good', pem(one.publicKey)),
    named('missing', { publicKey: `${place}/missing.pem` }),
    named('directory', { publicKey: `${place}/directory.pem` }),
    write('text', 'no key'),
    write('private', String(one.privateKey.export({ type: 'sec1', format: 'pem' }))),
    write('curve', pem(ec('P-384').publicKey)),
    write('kind', pem(generateKeyPairSync('ed25519').publicKey)),
  ];
  const { sets, findings } = await readLocalKeySets(realWorld(), providers);
  assert.deepEqual(
    [...sets.values()].map(({ keys }) => keys.map(({ kid }) => kid)),
    [['good']],
  );
  const told = new Map(findings.map(({ knob, message }) => [knob.split('_')[2], message]));
  assert.match(String(told.get('missing')), /is not there/);
  assert.match(String(told.get('directory')), /could not be read/);
  assert.match(String(told.get('text')), /no public key in PEM form/);
  assert.match(String(told.get('private')), /holds a private key, and is read by everybody/);
  assert.match(String(told.get('curve')), /secp384r1/);
  assert.match(String(told.get('kind')), /ed25519/);
  assert.ok(!JSON.stringify({ findings, sets: [...sets] }).includes('"d"'));
});

test('the metadata names the issuer to the letter, and where its keys are', () => {
  const metadata = localMetadata('https://ap.example.org', 'https://ap.example.org/.well-known/jwks-uri');
  assert.deepEqual(metadata, {
    issuer: 'https://ap.example.org',
    jwks_uri: 'https://ap.example.org/.well-known/jwks-uri',
  });
});

test('an issuer that does not publish the key that signs is told of in one sentence', () => {
  const provider = named('scitokens', { keyId: 'k2' });
  assert.equal(unpublishedAdvice(provider, ['local', 'k2']), undefined);
  assert.match(
    String(unpublishedAdvice(provider, ['local'])),
    /^https:\/\/ap\.example\.org publishes local and not k2, so/,
  );
  assert.match(String(unpublishedAdvice(provider, [])), /publishes no key and not k2/);
  assert.match(String(unpublishedAdvice(provider, undefined)), /publishes no keys, so that services refuse/);
});

test('issuer.yaml of a local issuer reads as what it was written from', async () => {
  for (const knobs of [{}, { version: '' }, { profile: 'wlcg', version: 'wlcg', audience: [] }] as const) {
    const place = freshPlace();
    chmodSync(place, 0o700);
    const { world, sealer } = depsOf(place);
    const wanted = localIssuerSettings(providerIn(place, knobs));
    const head = localIssuerHead('scitokens');
    const made = { ...wanted, algorithm: 'none', head, by: 'test' } as const;
    await (await createIssuer(world, `${place}/issuer`, made, { sealer, chain: 'local' })).close();
    const { rotation: _rotation, audit: _audit, ...read } = await readSettings(world, `${place}/issuer`);
    assert.deepEqual(read, wanted);
    assert.ok(settingsText(wanted, head).startsWith(head.join('\n')));
  }
});

test('a key that was removed by hand is published no more, whatever it signed', async () => {
  const place = freshPlace();
  const deps = depsOf(place);
  const first = providerIn(place);
  const { directory } = await prepareLocalIssuer(deps, first);
  const second = { ...first, keyId: 'k2', privateKey: `${place}/k2.pem`, publicKey: `${place}/k2-public.pem` };
  const issuer = await openIssuer(deps.world, directory, { sealer: deps.sealer, chain: 'local' });
  try {
    await issuer.mint({
      ...{ subject: 'alice', audiences: first.audience, everyone: false, scopes: ['read:/user/alice'], groups: [] },
      ...{ claims: {}, by: 'test', deliveredTo: [] },
    });
    await prepareLocalIssuer(deps, second);
    const published = async () => (await readLocalKeySets(deps.world, [second])).sets.get(second.issuer)?.keys;
    assert.equal((await published())?.length, 2);
    await rotateKeys(issuer, { now: true, by: 'admin', remove: 'local', reason: 'lost' });
    await announceAnew(deps, directory, second);
    assert.deepEqual(
      (await published())?.map(({ kid }) => kid),
      ['k2'],
    );
  } finally {
    await issuer.close();
  }
});

test('a key that signed before is published as long as a token lives that it signed, and then no more', async () => {
  const place = freshPlace();
  const clock = new TestClock();
  const deps = { ...depsOf(place), world: { ...realWorld(), clock } };
  const first = providerIn(place);
  const kidsNow = async (provider = first) => {
    const { sets, findings } = await readLocalKeySets(deps.world, [provider]);
    assert.deepEqual(findings, []);
    return sets.get(provider.issuer)?.keys.map(({ kid }) => kid);
  };
  const { directory } = await prepareLocalIssuer(deps, first);
  const issuer = await openIssuer(deps.world, directory, { sealer: deps.sealer, chain: 'local' });
  await issuer.mint({
    ...{ subject: 'alice', audiences: first.audience, everyone: false, scopes: ['read:/user/alice'], groups: [] },
    ...{ claims: {}, by: 'test', deliveredTo: [] },
  });
  await issuer.close();
  assert.deepEqual(await kidsNow(), ['local']);
  const second = { ...first, keyId: 'k2', privateKey: `${place}/k2.pem`, publicKey: `${place}/k2-public.pem` };
  assert.deepEqual((await prepareLocalIssuer(deps, second)).remarks.length, 1);
  assert.deepEqual(await kidsNow(second), ['k2', 'local']);
  clock.advance(minutes(20));
  assert.deepEqual(await kidsNow(second), ['k2', 'local']);
  clock.advance(minutes(80));
  assert.deepEqual(await kidsNow(second), ['k2']);
  writeFileSync(
    `${second.publicKey}.scitokens.retired.json`,
    '{"keys": [{"kty": "oct", "k": "c2VjcmV0", "until": 4000000000}]}',
  );
  const { sets, findings } = await readLocalKeySets(deps.world, [second]);
  assert.deepEqual([sets.get(second.issuer)?.keys.length, findings.length], [1, 1]);
  await prepareLocalIssuer(deps, second);
  assert.deepEqual(await kidsNow(second), ['k2']);
});
