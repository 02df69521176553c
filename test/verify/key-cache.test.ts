import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { days, hours, type Millis, millis, minutes, seconds } from '../../src/token/time.ts';
import { keyMetadataPlaces, readMetadata } from '../../src/verify/issuer-metadata.ts';
import { KeyCache, type KeyCacheParts } from '../../src/verify/key-cache.ts';
import { failurePause, keyCacheTimes, refreshAge } from '../../src/verify/key-cache-schedule.ts';
import { strictTrust } from '../../src/verify/trust.ts';
import type { Verification } from '../../src/verify/verification.ts';
import { Verifier } from '../../src/verify/verifier.ts';
import { realRandom } from '../../src/world/real-random.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { answer, jwksUrl, KeyPeer, metadataUrl } from './key-peer.ts';
import { issuer, jwksOf, makeKey, noon, signToken, type TestKey } from './signing.ts';

const [first, second] = [makeKey('first'), makeKey('second')];

/** A verifier whose keys are fetched over a scripted network, on a clock of its own. */
function setting(change: Partial<Omit<KeyCacheParts, 'world'>> = {}, ...keys: readonly TestKey[]) {
  const clock = new TestClock(noon);
  const peer = new KeyPeer(clock, ...(keys.length === 0 ? [first] : keys));
  const cache = new KeyCache({ world: { clock, http: peer, random: { ...realRandom, unit: () => 0.5 } }, ...change });
  const trusted = [
    { ...strictTrust, issuer, keys: { kind: 'discovered' as const }, audiences: ['https://se.example'] },
  ];
  const verifier = new Verifier({ trusted, keys: cache, clock });
  /** A token made now. */
  const token = (key: TestKey = first) => {
    const now = clock.now() / 1000;
    return signToken(key, { claims: { iat: now, nbf: now - 60, exp: now + 3600 } });
  };
  const verify = (key?: TestKey) => verifier.verify(token(key));
  const standing = () => {
    const found = cache.standing(issuer);
    assert.ok(found !== undefined);
    return found;
  };
  const counters = () => {
    const found = cache.counters()[issuer];
    assert.ok(found !== undefined);
    return found;
  };
  return { clock, peer, cache, verifier, token, verify, standing, counters };
}

const codeOf = (verification: Verification): string => (verification.kind === 'valid' ? 'valid' : verification.code);

test('keys are fetched when they are first needed, once for all who wait, and then no token leads to a request', async () => {
  const { peer, verify, verifier, token, standing, counters } = setting();
  assert.deepEqual(verifier.verifyNow(token()), { kind: 'keys-needed', issuer, kid: 'first' });
  assert.equal(peer.asked.length, 0, 'looking led to a request');
  const answers = await Promise.all(Array.from({ length: 50 }, () => verify()));
  assert.ok(answers.every(({ kind }) => kind === 'valid'));
  assert.deepEqual(
    peer.asked.map(({ url }) => url.href),
    [metadataUrl, jwksUrl],
  );
  for (let count = 0; count < 1000; count += 1) assert.equal((await verify()).kind, 'valid');
  assert.equal(verifier.verifyNow(token()).kind, 'valid');
  assert.equal(peer.asked.length, 2);
  assert.deepEqual([standing().standing, standing().kids], ['fresh', ['first']]);
  assert.deepEqual([counters().fetched, counters().fetchFailed], [1, 0]);
});

test('VER-04: requests have five seconds in all, a limit for their size, and go to https', async () => {
  const { peer, verify } = setting();
  await verify();
  for (const { url, timeout, maxBytes, method } of peer.asked) {
    assert.deepEqual([url.protocol, method, timeout], ['https:', 'GET', 5000]);
    assert.ok(maxBytes <= 256 * 1024);
  }
});

test('a token that would be refused anyway never leads to a request', async () => {
  const { peer, verifier, clock } = setting();
  const now = clock.now() / 1000;
  const claims = { iat: now, nbf: now, exp: now + 60 };
  for (const change of [{ exp: 1 }, { iss: 'https://evil.example' }, { aud: 'https://other.example' }]) {
    await verifier.verify(signToken(first, { claims: { ...claims, ...change } }));
  }
  await verifier.verify(signToken(first, { claims, header: { alg: 'none' } }));
  assert.equal(peer.asked.length, 0);
});

test('VER-02: keys are taken only from metadata that name the issuer, letter by letter', async () => {
  for (const named of [`${issuer}/`, 'https://evil.example', undefined, 7]) {
    const { peer, verify } = setting();
    peer.metadata({ issuer: named });
    const refused = await verify();
    assert.equal(codeOf(refused), 'keys-unavailable');
    assert.match(JSON.stringify(refused), /names the issuer/);
    assert.equal(peer.fetches, 0);
  }
  const nested = `{"issuer":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  assert.equal(readMetadata(nested, issuer, new URL(metadataUrl), []).kind, 'failed');
});

test('VER-04: keys lie at the issuer itself or at a host that is configured, over TLS', async () => {
  const places = ['http://issuer.example/keys', 'http://127.0.0.1/keys', 'file:///etc/passwd', 'keys', 7, undefined];
  for (const place of [...places, 'https://169.254.169.254/keys', 'https://issuer.example:8443/keys']) {
    const { peer, verify } = setting();
    peer.metadata({ jwks_uri: place });
    assert.equal(codeOf(await verify()), 'keys-unavailable', String(place));
    assert.deepEqual(
      peer.asked.map(({ url }) => url.href),
      [metadataUrl],
      String(place),
    );
  }
  const { peer, cache } = setting();
  const elsewhere = 'https://keys.example/keys';
  peer.metadata({ jwks_uri: elsewhere });
  peer.put(elsewhere, answer(jwksOf(first)));
  cache.watch(issuer, { kind: 'discovered', hosts: ['keys.example'] });
  await cache.ready();
  assert.equal(cache.standing(issuer)?.standing, 'fresh');
});

test('VER-04: an issuer on TLS cannot send us to plain http on this machine, also where the host is allowed', () => {
  const from = new URL(metadataUrl);
  const body = JSON.stringify({ issuer, jwks_uri: 'http://127.0.0.1/keys' });
  assert.equal(readMetadata(body, issuer, from, ['127.0.0.1']).kind, 'failed');
  const places = (name: string) => keyMetadataPlaces(name)?.map(({ href }) => href);
  assert.deepEqual(places('https://i.example/a/'), [
    'https://i.example/a/.well-known/openid-configuration',
    'https://i.example/.well-known/oauth-authorization-server/a',
  ]);
  const odd = [
    'http://i.example',
    'https://u:p@i.example',
    'https://i.example?x',
    'https://i.example#x',
    'ftp://i.example',
    'i',
  ];
  for (const name of odd) assert.equal(places(name), undefined, name);
});

test('VER-04: a redirect is not followed; RFC 8414 metadata are looked for only where the first place has none', async () => {
  const { peer, verify, clock } = setting();
  peer.put(metadataUrl, answer('', { location: 'https://evil.example/' }, 302));
  assert.match(JSON.stringify(await verify()), /answered 302, a redirect, which is not followed/);
  const second = `${issuer}/.well-known/oauth-authorization-server`;
  assert.deepEqual(
    peer.asked.map(({ url }) => url.href),
    [metadataUrl, second],
  );
  peer.put(second, answer({ issuer, jwks_uri: jwksUrl }));
  clock.advance(minutes(1));
  assert.equal((await verify()).kind, 'valid');
  const other = setting();
  other.peer.down();
  await other.verify();
  assert.equal(other.peer.asked.length, 1, 'asked at another place although nobody answered at the first');
});

test('VER-07: a key set that is too large, or none at all, is a failed fetch', async () => {
  for (const body of [
    ' '.repeat(256 * 1024 + 1),
    '<html>',
    '{"keys":7}',
    JSON.stringify({ keys: Array(65).fill({}) }),
  ]) {
    const { peer, verify } = setting();
    peer.put(jwksUrl, answer(body));
    assert.match(JSON.stringify(await verify()), /is no key set/);
  }
});

test('an issuer that is not to be reached is asked again soon, then more rarely, and never once a token', async () => {
  const { peer, clock, verify, counters } = setting();
  peer.down();
  const gaps: number[] = [];
  let last = clock.now();
  for (let second = 0; second < 3600; second += 5) {
    const before = peer.asked.length;
    assert.equal(codeOf(await verify()), 'keys-unavailable');
    if (peer.asked.length > before) {
      gaps.push((clock.now() - last) / 1000);
      last = clock.now();
    }
    clock.advance(seconds(5));
  }
  assert.deepEqual(gaps.slice(0, 7), [0, 5, 10, 20, 40, 80, 160]);
  assert.equal(Math.max(...gaps), 300);
  assert.equal(counters().heldOff, 720 - gaps.length);
  peer.up();
  clock.advance(minutes(5));
  assert.equal((await verify()).kind, 'valid');
});

test('a failed first contact locks nobody out for longer than seconds', async () => {
  const { peer, clock, verify } = setting();
  peer.put(metadataUrl, answer('', {}, 503));
  assert.equal(codeOf(await verify()), 'keys-unavailable');
  peer.metadata({});
  clock.advance(seconds(7));
  assert.equal((await verify()).kind, 'valid');
});

test('Retry-After is heeded within the bounds of the schedule', async () => {
  const { peer, clock, verify } = setting();
  peer.put(metadataUrl, answer('', { 'retry-after': '86400' }, 429));
  await verify();
  clock.advance(seconds(299));
  await verify();
  assert.equal(peer.asked.length, 1);
  clock.advance(seconds(1));
  await verify();
  assert.equal(peer.asked.length, 2);
});

test('Retry-After is heeded by looks for a kid, too; after another failure these are minutes apart at most', async () => {
  const { peer, clock, cache, verify } = setting();
  await verify();
  peer.put(metadataUrl, answer('', { 'retry-after': '3000' }, 429));
  clock.advance(hours(1));
  await cache.renew(issuer);
  const asked = peer.asked.length;
  for (let minute = 0; minute < 50; minute += 1) {
    assert.equal(codeOf(await verify(second)), 'keys-unavailable');
    clock.advance(minutes(1));
  }
  assert.equal(peer.asked.length, asked, 'an issuer that asked for quiet was asked');
  peer.down();
  for (let count = 0; count < 20; count += 1) await cache.renew(issuer);
  const before = peer.asked.length;
  await verify(second);
  assert.equal(peer.asked.length, before, 'asked right after a failure');
  peer.up();
  peer.metadata({});
  peer.publish(first, second);
  clock.advance(minutes(5));
  assert.equal((await verify(second)).kind, 'valid');
});

test('scenario 21: a disk that hangs holds nobody up: what it has is waited for a second, what it takes not at all', async () => {
  const never = new Promise<never>(() => {});
  const { peer, clock, verify, cache } = setting({ storage: { load: () => never, save: () => never } });
  const first = verify();
  await clock.sleeping();
  clock.advance(seconds(1));
  assert.equal((await first).kind, 'valid');
  assert.deepEqual(
    peer.asked.map(({ timeout }) => timeout),
    [4000, 4000],
    'more than five seconds in all',
  );
  const renewed = cache.renew(issuer);
  await clock.sleeping();
  clock.advance(seconds(1));
  await renewed;
});

test('of keys that come while others are being written the newest are on disk in the end', async () => {
  const saved: string[] = [];
  const { promise: disk, resolve: go } = Promise.withResolvers<void>();
  const save = async (_: string, { text }: { readonly text: string }) => {
    if (saved.length === 0) await disk;
    saved.push(text);
  };
  const { peer, clock, cache, verify } = setting({ storage: { load: async () => undefined, save } });
  await verify();
  peer.publish(second);
  const renewed = cache.renew(issuer);
  await clock.sleeping();
  go();
  await renewed;
  assert.deepEqual(saved, [jwksOf(first), jwksOf(second)]);
});

test('scenario 43: a kid that nobody knew of leads to one look at the issuer, and the new key counts at once', async () => {
  const { peer, clock, verify } = setting();
  await verify();
  clock.advance(minutes(5));
  peer.publish(first, second);
  const answers = await Promise.all(Array.from({ length: 20 }, () => verify(second)));
  assert.ok(answers.every(({ kind }) => kind === 'valid'));
  assert.equal(peer.fetches, 2);
});

test('scenario 21: kids made up cause no request per token: one in half a minute, then one in five', async () => {
  const { peer, clock, verify, counters } = setting();
  await verify();
  let asked = 0;
  for (let second = 0; second < 3600; second += 5) {
    assert.equal(codeOf(await verify(makeKeyNamed(`made-up-${second}`))), 'key-unknown');
    clock.advance(seconds(5));
    asked = peer.fetches;
  }
  assert.ok(asked <= 1 + 4 + 12, `${asked} requests`);
  assert.equal(counters().unknownKids, 720);
  peer.publish(first, second);
  clock.advance(minutes(5));
  assert.equal((await verify(second)).kind, 'valid');
});

/** Signed by another key: only the name matters. */
const makeKeyNamed = (kid: string): TestKey => ({ ...second, kid });

test('scenario 21: while the key endpoint hangs, tokens with known keys are verified at once and nobody waits', async () => {
  const { peer, clock, verify, verifier, token } = setting();
  await verify();
  peer.hang();
  clock.advance(hours(7));
  for (let count = 0; count < 100; count += 1) assert.equal((await verify()).kind, 'valid');
  assert.equal(verifier.verifyNow(token()).kind, 'valid');
  assert.equal(peer.asked.length, 3, 'more than one request while the first was hanging');
  peer.letGo();
});

test('scenario 21: a weekend without the key endpoint: keys serve on for two days, visibly stale, asked for rarely', async () => {
  const { peer, clock, cache, verify, standing, counters } = setting();
  const stop = new AbortController();
  const background = cache.start(stop.signal);
  await clock.sleeping();
  await turn();
  assert.equal(standing().standing, 'fresh');
  peer.down();
  const before = peer.asked.length;
  const found = new Map<string, number>();
  for (let minute = 0; minute < 62 * 60; minute += 1) {
    clock.advance(minutes(1));
    await clock.sleeping();
    await turn();
    if (minute % 5 !== 0) continue;
    const hour = minute / 60;
    const at = hour < 5 ? 'young' : hour > 6 && hour < 47 ? 'stale' : hour > 48 ? 'over' : 'between';
    const outcome = `${at} ${codeOf(await verify())} ${standing().standing}`;
    found.set(outcome, (found.get(outcome) ?? 0) + 1);
  }
  assert.deepEqual(
    [...found.keys()].filter((outcome) => !outcome.startsWith('between')),
    ['young valid fresh', 'stale valid stale', 'over keys-unavailable none'],
  );
  const asked = peer.asked.length - before;
  assert.ok(asked < 250, `${asked} requests in a weekend`);
  assert.ok(counters().staleUses > 400);
  assert.ok(standing().trouble !== undefined);
  peer.up();
  for (let minute = 0; minute < 8; minute += 1) {
    clock.advance(minutes(1));
    await clock.sleeping();
    await turn();
  }
  assert.equal((await verify()).kind, 'valid');
  assert.equal(standing().standing, 'fresh');
  stop.abort();
  await background;
});

test('a service that only calls verify refreshes in the background, between one and six hours', async () => {
  const { peer, clock, verify } = setting();
  peer.put(jwksUrl, answer(jwksOf(first), { 'cache-control': 'public, max-age=60' }));
  await verify();
  clock.advance(minutes(59));
  await verify();
  assert.equal(peer.fetches, 1, 'refreshed before an hour was over');
  clock.advance(minutes(17));
  await verify();
  await turn();
  assert.equal(peer.fetches, 2);
  peer.put(jwksUrl, answer(jwksOf(first), { 'cache-control': 'max-age=31536000' }));
  clock.advance(minutes(80));
  await verify();
  await turn();
  clock.advance(hours(6));
  await verify();
  await turn();
  assert.equal(peer.fetches, 4);
});

test('scenario 30: an emptied key set does not replace the keys, until their age does', async () => {
  const { peer, clock, verify, standing } = setting();
  await verify();
  for (const emptied of [{ keys: [] }, { keys: [{ kty: 'oct' }] }]) {
    peer.put(jwksUrl, answer(emptied));
    clock.advance(hours(7));
    await verify();
    await turn();
    assert.equal((await verify()).kind, 'valid');
    assert.equal(standing().standing, 'stale');
    assert.match(standing().trouble?.fault.message ?? '', /lists no key that can be used/);
  }
  clock.advance(days(2));
  assert.equal(codeOf(await verify()), 'keys-unavailable');
  assert.equal(standing().standing, 'none');
});

test('scenario 30: an issuer that calls itself otherwise is told of, and its keys serve on to their age', async () => {
  const { peer, clock, verify, standing } = setting();
  await verify();
  peer.metadata({ issuer: 'https://evil.example', jwks_uri: jwksUrl });
  peer.publish(second);
  clock.advance(hours(7));
  await verify();
  await turn();
  assert.equal(standing().trouble?.fault.code, 'issuer-mismatch');
  assert.equal((await verify()).kind, 'valid');
  clock.advance(minutes(10));
  assert.notEqual(codeOf(await verify(second)), 'valid');
});

test('scenario 43: a key that the issuer no longer serves is refused after the next refresh', async () => {
  const { peer, clock, verify } = setting({}, first, second);
  assert.equal((await verify(second)).kind, 'valid');
  peer.publish(first);
  clock.advance(hours(6));
  await verify();
  await turn();
  assert.equal(codeOf(await verify(second)), 'key-unknown');
});

test('an unknown kid while the issuer is away is no proof against the token', async () => {
  const { peer, clock, verify } = setting();
  await verify();
  clock.advance(minutes(2));
  peer.down();
  const refused = await verify(second);
  assert.equal(codeOf(refused), 'keys-unavailable');
  assert.match(JSON.stringify(refused), /not known here; its keys are known from earlier only/);
});

test('scenarios 18 to 20: a clock that is set, or a machine that sleeps, makes no key look younger', async () => {
  const slept = setting();
  await slept.verify();
  slept.peer.down();
  slept.clock.set((slept.clock.now() + days(3)) as typeof noon);
  assert.equal(codeOf(await slept.verify()), 'keys-unavailable');
  const setBack = setting();
  await setBack.verify();
  setBack.peer.down();
  setBack.clock.set((setBack.clock.now() - days(30)) as typeof noon);
  setBack.clock.advance(days(2));
  assert.equal(codeOf(await setBack.verify()), 'keys-unavailable');
});

test('the expiry is between one and four days, the refresh between one and six hours', () => {
  assert.deepEqual(keyCacheTimes(), { refresh: hours(6), expiry: days(2) });
  assert.deepEqual(keyCacheTimes({ expiry: days(4) }), { refresh: hours(6), expiry: days(4) });
  const wrong = [{ expiry: days(5) }, { expiry: hours(1) }, { refresh: minutes(1) }, { refresh: hours(7) }];
  for (const times of wrong) assert.throws(() => keyCacheTimes(times), { code: 'config-invalid' });
});

test('the point of a refresh is random, within an hour and the bound; pauses grow and are spread', () => {
  const times = keyCacheTimes();
  const at = (freshFor: Millis | undefined, unit: number) => refreshAge(freshFor, times, unit) / 60_000;
  assert.deepEqual([at(undefined, 0), at(undefined, 1)], [270, 360]);
  assert.deepEqual([at(seconds(0), 0), at(seconds(0), 1)], [60, 75]);
  assert.deepEqual([at(hours(2), 0), at(hours(2), 1)], [90, 120]);
  assert.deepEqual([at(days(365), 0), at(days(365), 1)], [270, 360]);
  const pause = (count: number, unit: number) => failurePause(count, 'usable', unit) / 1000;
  assert.deepEqual([pause(1, 0), pause(1, 1), pause(2, 0.5), pause(30, 0.5)], [3.75, 6.25, 10, 3600]);
  assert.equal(failurePause(1000, 'none', 0.5), minutes(5));
  assert.equal(failurePause(1, 'none', 0.5, millis(1e12)), minutes(5));
});

test('who waits for the keys also waits for a request that is under way already', async () => {
  const { cache, peer } = setting();
  const stop = new AbortController();
  const background = cache.start(stop.signal);
  await cache.ready();
  assert.deepEqual(cache.standing(issuer)?.kids, ['first']);
  assert.equal(peer.fetches, 1);
  stop.abort();
  await background;
});

test('watching an issuer again changes nothing, unless its keys come from elsewhere now', async () => {
  const { cache, peer, verify } = setting();
  await verify();
  cache.watch(issuer, { kind: 'discovered' });
  assert.equal((await verify()).kind, 'valid');
  assert.equal(peer.fetches, 1);
  cache.watch(issuer, { kind: 'jwks', text: jwksOf(second), from: 'a file' });
  assert.equal((await verify(second)).kind, 'valid');
  assert.equal(codeOf(await verify()), 'key-unknown');
  assert.equal(cache.standing(issuer)?.standing, 'fixed');
  await cache.renew(issuer);
  await cache.ready();
  assert.equal(peer.fetches, 1, 'keys at hand were fetched');
});
