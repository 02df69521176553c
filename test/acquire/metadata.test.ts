import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fetchMetadata, type MetadataOutcome } from '../../src/acquire/metadata.ts';
import { MetadataCache } from '../../src/acquire/metadata-cache.ts';
import { metadataPlaces } from '../../src/token/metadata-places.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { hours, minutes, seconds } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { type HostileIssuer, hostileIssuer, html200, json, redirect, silence } from '../peers/hostile-issuer.ts';
import { testWorld } from './grant-samples.ts';

const world = testWorld();
after(() => world.http.close());

const ask = (issuer: string) => ({ issuer: issuer as IssuerUrl, timeout: seconds(5) });
const fetched = (peer: HostileIssuer, name = peer.issuer) => fetchMetadata(world, ask(name));

function fault(outcome: MetadataOutcome) {
  assert.ok(outcome.kind === 'failed', 'metadata were accepted');
  return outcome.fault;
}

test('metadata is looked for after the path, then before it, and a trailing slash is not doubled', () => {
  const places = (issuer: string) => metadataPlaces(issuer)?.map((url) => url.href);
  assert.deepEqual(places('https://i.example'), [
    'https://i.example/.well-known/openid-configuration',
    'https://i.example/.well-known/oauth-authorization-server',
  ]);
  for (const issuer of ['https://i.example/realms/a', 'https://i.example/realms/a/']) {
    assert.deepEqual(places(issuer), [
      'https://i.example/realms/a/.well-known/openid-configuration',
      'https://i.example/.well-known/oauth-authorization-server/realms/a',
    ]);
  }
  assert.equal(places('not a url'), undefined);
});

test('what an issuer says of itself is read; lists of wrong kinds count as absent', async () => {
  await using issuer = await hostileIssuer();
  issuer.metadata({
    jwks_uri: `${issuer.issuer}/jwks`,
    grant_types_supported: ['client_credentials'],
    scopes_supported: 'openid',
    authorization_response_iss_parameter_supported: true,
  });
  const outcome = await fetched(issuer);
  assert.ok(outcome.kind === 'metadata');
  const { raw: _, ...metadata } = outcome.metadata;
  assert.deepEqual(metadata, {
    issuer: issuer.issuer,
    tokenEndpoint: issuer.tokenUrl,
    jwksUri: `${issuer.issuer}/jwks`,
    grantTypesSupported: ['client_credentials'],
    authorizationResponseIss: true,
  });
  assert.ok(Math.abs(outcome.skew ?? 9e9) < 2_000, 'one machine has one clock');
});

test('RFC 8414 metadata is found where there is no openid-configuration', async () => {
  await using issuer = await hostileIssuer({ path: '/realm' });
  issuer.metadata((response, seen) => {
    const found = seen.path === '/.well-known/oauth-authorization-server/realm';
    const document = { issuer: issuer.issuer, token_endpoint: issuer.tokenUrl };
    json(found ? 200 : 404, found ? document : {})(response, seen);
  });
  assert.equal((await fetched(issuer)).kind, 'metadata');
  assert.equal(issuer.lookUps.length, 2);
});

test('scenario 30: metadata of another issuer is refused, with both names, and a trailing slash is pointed at', async () => {
  await using issuer = await hostileIssuer();
  issuer.metadata({ issuer: 'https://other.example' });
  const other = fault(await fetched(issuer));
  assert.equal(other.code, 'issuer-mismatch');
  assert.match(other.message, /metadata of "http:\/\/127\.0\.0\.1:\d+" names the issuer "https:\/\/other\.example"/);
  issuer.metadata({});
  const slash = fault(await fetched(issuer, `${issuer.issuer}/`));
  assert.equal(slash.code, 'issuer-mismatch');
  assert.match(slash.hint ?? '', /trailing slash.*write issuer: http:\/\/127\.0\.0\.1:\d+$/);
  issuer.metadata({ issuer: { not: 'text' } });
  assert.match(fault(await fetched(issuer)).message, /names the issuer nothing/);
});

test('endpoints that are not https, or no URLs, are refused', async () => {
  await using issuer = await hostileIssuer();
  for (const endpoint of ['http://issuer.example/token', 'ftp://127.0.0.1/', '/token', 7, '']) {
    issuer.metadata({ token_endpoint: endpoint });
    const found = fault(await fetched(issuer));
    assert.equal(found.code, 'issuer-nonsense');
    assert.match(found.message, /token_endpoint/);
  }
  issuer.metadata({ token_endpoint: undefined });
  assert.match(fault(await fetched(issuer)).message, /names no token_endpoint/);
});

test('scenario 27: HTML, a redirect, a document that is too large, and nothing at all are refused', async () => {
  await using issuer = await hostileIssuer();
  for (const step of [
    html200,
    redirect('https://login.example/'),
    json(200, '[]'),
    json(200, ' '.repeat(2 ** 20 + 1)),
  ]) {
    issuer.metadata(step);
    assert.equal(fault(await fetched(issuer)).code, 'issuer-nonsense');
  }
  issuer.metadata(silence);
  const slow = await fetchMetadata(world, { issuer: issuer.issuer as IssuerUrl, timeout: seconds(0.1) });
  assert.equal(fault(slow).code, 'issuer-timeout');
});

test('scenario 23: an overloaded issuer says when to come back', async () => {
  await using issuer = await hostileIssuer();
  issuer.metadata(json(503, '', { 'retry-after': '30' }));
  const outcome = await fetched(issuer);
  assert.ok(outcome.kind === 'failed' && outcome.fault.code === 'issuer-overloaded');
  assert.ok(outcome.retryAfter !== undefined && outcome.fault.retryAt === outcome.retryAfter);
  assert.equal(issuer.lookUps.length, 1);
});

test('scenario 22: the clock of the issuer is measured by its Date', async () => {
  await using issuer = await hostileIssuer();
  issuer.metadata((response, seen) => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    json(200, { issuer: issuer.issuer, token_endpoint: issuer.tokenUrl }, { date })(response, seen);
  });
  const outcome = await fetched(issuer);
  assert.ok(outcome.kind === 'metadata');
  assert.equal(Math.round((outcome.skew ?? 0) / 60_000), -60);
});

test('metadata is kept for an hour, asked for once at a time, and a failure is not remembered', async () => {
  await using issuer = await hostileIssuer();
  const clock = new TestClock();
  const cache = new MetadataCache({ ...world, clock });
  const request = ask(issuer.issuer);
  issuer.metadata(json(500, ''));
  assert.equal((await cache.get(request)).kind, 'failed');
  issuer.metadata({});
  await Promise.all(Array.from({ length: 20 }, () => cache.get(request)));
  clock.advance(minutes(59));
  await cache.get(request);
  assert.equal(issuer.lookUps.length, 2);
  clock.advance(minutes(2));
  await cache.get(request);
  assert.equal(issuer.lookUps.length, 3);
});

test('what an issuer said last is used on while it does not answer, and it is asked again once a minute', async () => {
  await using issuer = await hostileIssuer();
  const clock = new TestClock();
  const cache = new MetadataCache({ ...world, clock });
  const request = ask(issuer.issuer);
  await cache.get(request);
  issuer.metadata(json(502, ''));
  clock.advance(hours(2));
  for (let time = 0; time < 4; time += 1) assert.equal((await cache.get(request)).kind, 'metadata');
  assert.equal(issuer.lookUps.length, 2);
  clock.advance(minutes(1));
  await cache.get(request);
  assert.equal(issuer.lookUps.length, 3);
});

test('scenario 30: an issuer that calls itself otherwise is refused although its old metadata is at hand; new endpoints are taken', async () => {
  await using issuer = await hostileIssuer();
  const clock = new TestClock();
  const cache = new MetadataCache({ ...world, clock });
  const request = ask(issuer.issuer);
  await cache.get(request);
  issuer.metadata({ token_endpoint: `${issuer.issuer}/new-token` });
  clock.advance(hours(1));
  const moved = await cache.get(request);
  assert.equal(moved.kind === 'metadata' && moved.metadata.tokenEndpoint, `${issuer.issuer}/new-token`);
  issuer.metadata({ issuer: 'https://evil.example' });
  clock.advance(hours(1));
  assert.equal(fault(await cache.get(request)).code, 'issuer-mismatch');
  issuer.metadata(json(502, ''));
  assert.equal((await cache.get(request)).kind, 'failed', 'the old metadata came back after a mismatch');
});

test('who waits for metadata may give up without ending the wait of others', async () => {
  await using issuer = await hostileIssuer();
  const cache = new MetadataCache(world);
  const breaker = new AbortController();
  issuer.metadata((response, seen) => {
    breaker.abort();
    setImmediate(() => json(200, { issuer: issuer.issuer, token_endpoint: issuer.tokenUrl })(response, seen));
  });
  const [impatient, patient] = await Promise.all([
    cache.get({ ...ask(issuer.issuer), signal: breaker.signal }),
    cache.get(ask(issuer.issuer)),
  ]);
  assert.deepEqual([impatient.kind, patient.kind], ['failed', 'metadata']);
  assert.equal(issuer.lookUps.length, 1);
});
