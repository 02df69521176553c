import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { after, before, test } from 'node:test';
import { checkSite, type SiteQuestion } from '../../src/issue/check-site.ts';
import type { SiteFinding } from '../../src/issue/check-site-finding.ts';
import { publishSite } from '../../src/issue/publish.ts';
import type { SigningKey } from '../../src/mint/signing-key.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { days, epoch, hours } from '../../src/token/time.ts';
import { realCertificateLook } from '../../src/world/real-certificate-look.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { type StaticHost, staticHost } from '../peers/static-host.ts';
import { type ThrowAwayCa, throwAwayCa } from '../peers/throw-away-ca.ts';
import { emptyDirectory, signingKey } from './site-peer.ts';

const world = realWorld();
let ca: ThrowAwayCa;
before(async () => {
  ca = await throwAwayCa();
});
after(async () => {
  await world.http.close();
  await ca.remove();
});

interface Site {
  readonly host: StaticHost;
  readonly url: IssuerUrl;
  readonly keys: readonly SigningKey[];
  publish(keys?: readonly SigningKey[]): Promise<void>;
  check(more?: Partial<SiteQuestion>): Promise<readonly SiteFinding[]>;
}

/** A published issuer on a real https server. */
async function site(t: TestContext, wish: { readonly path?: string; readonly expired?: true } = {}): Promise<Site> {
  const directory = await emptyDirectory(t);
  const certificate = await ca.certificate(wish.expired === undefined ? {} : { validity: 'expired' });
  const host = await staticHost(directory, certificate);
  t.after(() => host[Symbol.asyncDispose]());
  const url = `${host.origin}${wish.path ?? '/vo'}` as IssuerUrl;
  const keys = [signingKey('signs'), signingKey('comes', 'next')];
  const publish = async (published = keys) =>
    void (await publishSite(world, { url, keys: published, directory, servedAt: '/', prune: true, dryRun: false }));
  await publish();
  const outside = { ...world, certificates: realCertificateLook };
  const check = (more: Partial<SiteQuestion> = {}) =>
    checkSite(outside, { url, keys, ahead: days(2), caFile: ca.caFile, ...more });
  return { host, url, keys, publish, check };
}

const bad = (findings: readonly SiteFinding[]): readonly string[] =>
  findings.filter(({ severity }) => severity !== 'ok').map(({ severity, sentence }) => `${severity}: ${sentence}`);

test('a site as published is in order, and the findings say what was looked at', async (t) => {
  const { check, host, url } = await site(t);
  const findings = await check();
  assert.deepEqual(bad(findings), []);
  assert.match(findings.map(({ sentence }) => sentence).join('\n'), /has comes, signs[\s\S]*is good for 29 days/);
  assert.deepEqual(host.asked.toSorted(), [
    '/.well-known/oauth-authorization-server/vo',
    '/.well-known/openid-configuration/vo',
    '/vo/.well-known/openid-configuration',
    '/vo/oauth2/certs',
  ]);
  assert.deepEqual(bad(await check({ keys: undefined, url: `${url}` })), []);
});

test('an issuer without a path, and one with a slash at its end, are in order where the server takes two slashes as one', async (t) => {
  for (const path of ['', '/', '/vo/']) assert.deepEqual(bad(await (await site(t, { path })).check()), [], path);
  const { host, check } = await site(t, { path: '/vo/' });
  host.mergeSlashes = false;
  const [finding] = bad(await check());
  assert.match(
    finding ?? '',
    /warning: .*\/vo\/\/\.well-known.* \(answers 404\), where libscitokens, which doubles the slash/,
  );
});

test('a key that signs and is not published is the first thing to know', async (t) => {
  const { check, keys, publish } = await site(t);
  const fresh = signingKey('fresh');
  const findings = await check({ keys: [fresh, ...keys] });
  assert.match(bad(findings).join('\n'), /^error: the key fresh signs, and is not published/);
  assert.match(findings.find(({ severity }) => severity === 'error')?.hint ?? '', /publish again/);
  await publish([fresh, ...keys]);
  assert.deepEqual(bad(await check({ keys: [fresh, ...keys] })), []);
});

test('keys in the wrong state are told: next not published, retired gone too early, removed still there, another under the same kid', async (t) => {
  const { check, keys } = await site(t);
  const [signs, comes] = keys as [SigningKey, SigningKey];
  const later = epoch(Date.now() + hours(3));
  const words = bad(
    await check({
      keys: [
        { ...signs, state: 'removed' },
        signingKey('comes', 'next'),
        signingKey('soon', 'next'),
        signingKey('old', 'retired', { lastExpiry: later }),
        signingKey('older', 'retired', { lastExpiry: epoch(1) }),
      ],
    }),
  ).join('\n');
  assert.match(words, /error: the key signs was removed, and is published still/);
  assert.match(words, /error: under the kid comes another key is published/);
  assert.match(words, /warning: the key soon is to sign next, and is not published yet/);
  assert.match(words, /error: the key old is not published any more, and tokens that it signed are good until/);
  assert.doesNotMatch(words, /older/);
  assert.equal(comes.state, 'next');
});

/** What the site answers instead, and what the check says of it. `MD` and `JWKS` are the two paths. */
const answers: readonly {
  readonly what: string;
  readonly path: 'MD' | 'JWKS';
  readonly instead: (site: Site) => Parameters<StaticHost['instead']['set']>[1];
  readonly says: RegExp;
}[] = [
  {
    what: 'metadata of another issuer',
    path: 'MD',
    instead: ({ url }) => ({ body: JSON.stringify({ issuer: `${url}/`, jwks_uri: `${url}/oauth2/certs` }) }),
    says: /error: .* is about the issuer .*\/vo\/ and not .*compare to the last character/,
  },
  {
    what: 'keys without TLS',
    path: 'MD',
    instead: ({ url }) => ({ body: JSON.stringify({ issuer: url, jwks_uri: 'http://issuer.example/certs' }) }),
    says: /error: .* leads to keys without TLS/,
  },
  {
    what: 'no place of keys',
    path: 'MD',
    instead: ({ url }) => ({ body: JSON.stringify({ issuer: url }) }),
    says: /error: .* does not say where the keys are/,
  },
  { what: 'a page', path: 'MD', instead: () => ({ body: '<html>' }), says: /error: .* is not a JSON object/ },
  { what: 'nothing', path: 'MD', instead: () => ({ status: 404 }), says: /error: the metadata are not at .*\(404\)/ },
  { what: 'a fault', path: 'MD', instead: () => ({ status: 502 }), says: /unreachable: .* answers 502/ },
  {
    what: 'a redirect',
    path: 'JWKS',
    instead: () => ({ status: 301, headers: { location: 'https://elsewhere.example/certs' } }),
    says: /error: the keys at .* are moved by a redirect \(301\) to https:\/\/elsewhere/,
  },
  {
    what: 'the type of a download',
    path: 'JWKS',
    instead: () => ({ headers: { 'content-type': 'application/octet-stream', 'cache-control': 'max-age=60' } }),
    says: /^warning: .*comes as application\/octet-stream/,
  },
  {
    what: 'no word on caching',
    path: 'JWKS',
    instead: () => ({ headers: { 'content-type': 'application/json' } }),
    says: /^warning: .*says nothing of how long it may be kept/,
  },
  {
    what: 'a day of caching',
    path: 'JWKS',
    instead: () => ({ headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=86400' } }),
    says: /^warning: .*may be kept for 1d, longer than verifiers/,
  },
  {
    what: 'caching beyond the rotation',
    path: 'JWKS',
    instead: () => ({ headers: { 'content-type': 'application/json', 'cache-control': 'max-age=604800' } }),
    says: /^error: .*may be kept for 7d, and a new key signs 2d after it was published/,
  },
  {
    what: 'no keys',
    path: 'JWKS',
    instead: () => ({ body: '{"keys":[]}' }),
    says: /error: .* has no key that verifiers/,
  },
  {
    what: 'no key set',
    path: 'JWKS',
    instead: () => ({ body: '[]' }),
    says: /error: .* cannot be used: it is not a JSON object/,
  },
  {
    what: 'a key with padding',
    path: 'JWKS',
    instead: ({ keys }) => ({ body: JSON.stringify({ keys: keys.map(({ jwk }) => ({ ...jwk, y: `${jwk.y}=` })) }) }),
    says: /error: the published key "signs" is written with padding/,
  },
  {
    what: 'a key without its curve',
    path: 'JWKS',
    instead: ({ keys }) => ({ body: JSON.stringify({ keys: keys.map(({ jwk: { crv: _crv, ...jwk } }) => jwk) }) }),
    says: /error: the published key "signs" does not name its curve/,
  },
  {
    what: 'a private key',
    path: 'JWKS',
    instead: ({ keys }) => ({ body: JSON.stringify({ keys: keys.map(({ jwk }) => ({ ...jwk, d: 'AAAA' })) }) }),
    says: /error: the published key "signs" is passed over: it has its private half in it/,
  },
];

test('each thing that can be wrong with a site is one sentence', async (t) => {
  const at = await site(t);
  for (const { what, path, instead, says } of answers) {
    const place = path === 'MD' ? '/vo/.well-known/openid-configuration' : '/vo/oauth2/certs';
    at.host.instead.set(place, instead(at));
    const found = bad(await at.check());
    assert.match(found.join('\n'), says, what);
    assert.ok(path === 'JWKS' || found.length === 1, `${what}: ${found.join('\n')}`);
    at.host.instead.clear();
  }
  assert.deepEqual(bad(await at.check()), []);
});

test('other places of the metadata have to say the same, or nothing', async (t) => {
  const { host, check, url } = await site(t);
  const place = '/.well-known/oauth-authorization-server/vo';
  host.instead.set(place, { status: 404 });
  assert.deepEqual(bad(await check()), []);
  host.instead.set(place, { body: JSON.stringify({ issuer: url, jwks_uri: `${url}/old-keys` }) });
  assert.match(bad(await check()).join(), /^error: .*oauth-authorization-server\/vo says something else/);
});

test('a certificate that nobody trusts is wrong, a host that is not there is unreachable', async (t) => {
  const { check } = await site(t);
  assert.match(
    bad(await check({ caFile: undefined })).join(),
    /^error: no TLS connection to .* CA that is not trusted/,
  );
  const expired = await site(t, { expired: true });
  assert.match(bad(await expired.check()).join(), /^error: no TLS connection .* has expired/);
  const gone = await site(t);
  await gone.host[Symbol.asyncDispose]();
  assert.match(bad(await gone.check()).join(), /^unreachable: no connection to .*nothing listens/);
});

test('a certificate that ends soon is told of before it does', async (t) => {
  const { url, keys } = await site(t);
  for (const [left, says] of [
    [days(10), /^warning: the certificate of localhost:\d+ ends in 10 days/],
    [days(1), /^error: the certificate of localhost:\d+ ends in 1 day;/],
  ] as const) {
    const until = epoch(Date.now() + left + hours(1));
    const outside = { ...world, certificates: async () => until };
    assert.match(bad(await checkSite(outside, { url, keys, ahead: days(2), caFile: ca.caFile })).join(), says);
  }
});

test('a name that is not written as parsers of URLs write it is looked for where verifiers look', async () => {
  const url = 'https://Issuer.example:443/vo';
  const asked: string[] = [];
  const send: World['http']['send'] = (request) => {
    asked.push(request.url.href);
    const body = JSON.stringify({ issuer: url, jwks_uri: 'https://issuer.example/vo/oauth2/certs' });
    const at = epoch(0);
    return Promise.resolve({ kind: 'answer', status: 200, headers: {}, body, sentAt: at, receivedAt: at });
  };
  const certificates = () => Promise.resolve(undefined);
  const http = { ...world.http, send };
  await checkSite({ http, clock: world.clock, certificates }, { url, keys: [], ahead: days(2), caFile: undefined });
  assert.deepEqual(asked.toSorted(), [
    'https://issuer.example/.well-known/oauth-authorization-server/vo',
    'https://issuer.example/.well-known/openid-configuration/vo',
    'https://issuer.example/vo/.well-known/openid-configuration',
    'https://issuer.example/vo/oauth2/certs',
  ]);
});
