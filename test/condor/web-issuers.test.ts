import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LocalProvider } from '../../src/condor/settings.ts';
import { parseTop } from '../../src/condor/top-file.ts';
import { localUserOf } from '../../src/condor/web/local-user-of.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { approve } from '../peers/approve.ts';
import {
  type HostileIssuer,
  hostileIssuer,
  html200,
  json,
  redirect,
  resetBeforeAnswer,
  token,
} from '../peers/hostile-issuer.ts';
import { startIssuer } from '../peers/start-issuer.ts';
import { clientSecret, issuerFor, loginRequest, type WebBed, type WebBedOptions, webBed } from './web-bed.ts';
import { type Answer, Visitor } from './web-visitor.ts';

const jwt = (claims: object): string =>
  [{ alg: 'ES256', typ: 'JWT' }, claims, 'x']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

/** Logs in at an issuer that does what it is told; `answer` is made when what it was asked is known. */
async function logIn(
  bed: WebBed,
  issuer: HostileIssuer,
  answer: (asked: URLSearchParams) => ReturnType<typeof json>,
  back: Readonly<Record<string, string>> = { code: 'code-0123456789' },
): Promise<string> {
  const { link } = await bed.ask([loginRequest(bed, issuer.issuer, 'mytok')]);
  const visitor = new Visitor(bed);
  const { location } = await visitor.press(await visitor.confirm(link), '/login/mytok');
  const asked = new URL(location).searchParams;
  issuer.always((response, request) => answer(asked)(response, request));
  const query = new URLSearchParams({ state: asked.get('state') ?? '', ...back });
  const returned = await visitor.get(`/return/mytok?${query}`);
  assert.deepEqual([returned.status, returned.location], [303, '/']);
  return (await visitor.get('/')).body;
}

const filesOf = async (bed: WebBed) => await readdir(join(bed.directory, 'alice')).catch(() => []);

test('the code goes to the token endpoint once, as the shipped application sends it, with the verifier of the challenge', async () => {
  await using bed = await webBed();
  await using issuer = await hostileIssuer();
  const page = await logIn(bed, issuer, () => token({ refresh_token: 'refresh-0' }));
  assert.match(page, /The issuer does not say as whom/);
  const [request] = issuer.requests;
  const { code_verifier: verifier, ...form } = Object.fromEntries(request?.form ?? []);
  assert.match(verifier ?? '', /^[\w-]{43}$/);
  assert.deepEqual(form, {
    grant_type: 'authorization_code',
    code: 'code-0123456789',
    redirect_uri: `${bed.prefix}/return/mytok`,
    client_id: 'condor.test',
    client_secret: clientSecret,
  });
  assert.deepEqual(await bed.pins.all(), [], 'nobody to pin');
  assert.deepEqual(await filesOf(bed), ['mytok.top']);
});

test('who logged in is what the ID token says, else the access token, else the user info', async () => {
  await using bed = await webBed({ provider: { userUrl: 'http://127.0.0.1:1/userinfo' } });
  await using issuer = await hostileIssuer();
  const idToken = (asked: URLSearchParams, changes: object = {}) =>
    jwt({
      iss: issuer.issuer,
      sub: 'alice',
      aud: 'condor.test',
      exp: inAnHour(),
      nonce: asked.get('nonce'),
      ...changes,
    });
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ aud: 'another' }, /its ID token is for another client/],
    [{ aud: ['condor.test', 'b'], azp: 'b' }, /its ID token is for another client/],
    [{ nonce: 'another' }, /its ID token belongs to another login/],
    [{ nonce: undefined }, /its ID token belongs to another login/],
    [{ exp: 1 }, /its ID token is too old/],
    [{ sub: '' }, /its ID token does not say who logged in/],
    [{ sub: 7 }, /its ID token does not say who logged in/],
  ];
  for (const [changes, words] of refused) {
    const page = await logIn(bed, issuer, (asked) => token({ refresh_token: 'r', id_token: idToken(asked, changes) }));
    assert.match(page, words);
    assert.deepEqual(await filesOf(bed), []);
  }
  assert.match(await logIn(bed, issuer, () => token({ refresh_token: 'r', id_token: 'eyJ.x.y' })), /cannot be read/);
  assert.deepEqual(await bed.pins.all(), []);
  const page = await logIn(bed, issuer, (asked) => token({ refresh_token: 'r', id_token: idToken(asked) }));
  assert.match(page, /You are alice there/);
  await bed.pins.forget('alice', 'mytok');
  await rm(join(bed.directory, 'alice', 'mytok.top'));
  const access_token = jwt({ iss: issuer.issuer, sub: 'alice-by-access-token' });
  assert.match(await logIn(bed, issuer, () => token({ refresh_token: 'r', access_token })), /alice-by-access-token/);
  await rm(join(bed.directory, 'alice', 'mytok.top'));
  // Pinned once, somebody who is not named does not get past it.
  const unnamed = await logIn(bed, issuer, () => token({ refresh_token: 'r' }));
  assert.match(unnamed, /did not say who logged in, and it did so before/);
  assert.deepEqual(await filesOf(bed), []);
});

test('user info names who logged in where no token does', async () => {
  await using issuer = await hostileIssuer();
  await using bed = await webBed({ provider: { userUrl: `${issuer.issuer}/me` } });
  const { link } = await bed.ask([loginRequest(bed, issuer.issuer, 'mytok')]);
  const visitor = new Visitor(bed);
  const { location } = await visitor.press(await visitor.confirm(link), '/login/mytok');
  issuer.script(token({ refresh_token: 'r' }), json(200, { account_id: 'dbid:1' }));
  await visitor.get(`/return/mytok?code=c&state=${new URL(location).searchParams.get('state')}`);
  assert.match((await visitor.get('/')).body, /You are dbid:1 there/);
  assert.equal(issuer.requests[1]?.headers.authorization, 'Bearer opaque-access-token');
  assert.equal((await bed.pins.all())[0]?.issuer, new URL(issuer.issuer).origin);
});

test('RFC 9207: an answer of another issuer, or without its name where it should have one, is not used', async () => {
  await using issuer = await hostileIssuer();
  issuer.metadata({ authorization_response_iss_parameter_supported: true });
  await using bed = await webBed({ provider: { issuer: issuer.issuer as IssuerUrl } });
  const good = () => token({ refresh_token: 'r' });
  const code = 'c';
  assert.match(await logIn(bed, issuer, good, { code }), /the answer names no issuer/);
  assert.match(await logIn(bed, issuer, good, { code, iss: `${issuer.issuer}/` }), /names the issuer http/);
  issuer.assertRequests(0);
  const other = jwt({ iss: 'https://other.example', sub: 'x', aud: 'condor.test', exp: inAnHour() });
  assert.match(
    await logIn(bed, issuer, () => token({ refresh_token: 'r', id_token: other }), { code, iss: issuer.issuer }),
    /it calls itself https:\/\/other\.example/,
  );
  assert.deepEqual(await filesOf(bed), []);
  assert.match(await logIn(bed, issuer, good, { code, iss: issuer.issuer }), /logged in/);
});

test('an issuer that says no, something odd, or nothing, is told in words, and can be tried again', async () => {
  await using bed = await webBed();
  await using issuer = await hostileIssuer();
  const back: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ error: 'access_denied' }, /the login was declined/],
    [{ error: 'invalid_scope', error_description: '<b>no\u202e</b>' }, /invalid_scope \(&lt;b&gt;no &lt;\/b&gt;\)/],
    [{ error: 'temporarily_unavailable' }, /Try again in a while/],
    [{}, /no code/],
  ];
  for (const [query, words] of back) assert.match(await logIn(bed, issuer, () => token(), query), words);
  issuer.assertRequests(0);
  const secret = 'refresh-token-0123456789abcdef0123456789';
  const answers: readonly (readonly [ReturnType<typeof json>, RegExp])[] = [
    [json(400, { error: 'invalid_grant', error_description: `no ${secret}` }), /invalid_grant/],
    [json(401, { error: 'invalid_client' }), /does not accept client condor\.test/],
    [html200, /no OAuth answer/],
    [redirect('https://evil.example'), /no OAuth answer/],
    [json(503, 'x'), /127\.0\.0\.1/],
    [resetBeforeAnswer, /127\.0\.0\.1/],
  ];
  for (const [answer, words] of answers) {
    const page = await logIn(bed, issuer, () => answer);
    assert.match(page, words);
    assert.match(page, /Try again/);
    assert.ok(!page.includes(secret));
    assert.deepEqual(await filesOf(bed), []);
  }
});

test('without a refresh token the token is all there is: the page says when it ends, and the credmon hands it on', async () => {
  await using bed = await webBed();
  await using issuer = await hostileIssuer();
  const page = await logIn(bed, issuer, () => token({ scope: 'storage.read:/', id_token: undefined }));
  assert.match(page, /This token cannot be renewed/);
  assert.match(page, /so the token ends \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in \d+ min\)/);
  assert.deepEqual(await filesOf(bed), ['mytok.top']);
  const top = parseTop(await readFile(join(bed.directory, 'alice', 'mytok.top')));
  assert.ok(top.kind === 'access_token');
  assert.deepEqual(
    [top.accessToken.reveal(), top.scopes],
    ['opaque-access-token', 'openid, offline_access, storage.read:/'],
  );
  assert.ok(Math.abs((top.expiresAt ?? 0) / 1000 - inAnHour()) < 60);
});

test('an issuer whose name is known and whose metadata are not to be had is not gone to', async () => {
  await using issuer = await hostileIssuer();
  issuer.metadata(json(503, {}));
  await using bed = await webBed({ provider: { issuer: issuer.issuer as IssuerUrl } });
  const { link } = await bed.ask([loginRequest(bed, issuer.issuer, 'mytok')]);
  const visitor = new Visitor(bed);
  const { status, body } = await visitor.press(await visitor.confirm(link), '/login/mytok');
  assert.equal(status, 503);
  assert.match(body, /The issuer does not answer/);
});

test('several services: each by itself, what is there already needs no login, and the request goes with the last', async () => {
  await using bed = await webBed({ path: '/tokens' });
  await using peer = await issuerFor(bed, ['mytok', 'other']);
  const request = (provider: string, handle: string) => loginRequest(bed, peer.issuer, provider, { handle });
  const { link, key } = await bed.ask([request('mytok', 'rd'), request('mytok', 'wr'), request('other', 'x')]);
  const visitor = new Visitor(bed);
  let services = await visitor.confirm(link);
  const done = async (action: string) => {
    await visitor.get(await visitor.toIssuerAndBack(services, action, 'alice@idp'));
    services = await visitor.get(`${bed.prefix}/`);
  };
  await done('/tokens/login/mytok%20rd');
  assert.match(services.body, /1 of 3 logged in/);
  await writeFile(join(bed.directory, 'alice', 'other_x.top'), 'alice');
  services = await visitor.get(`${bed.prefix}/`);
  assert.match(services.body, /You were logged in here already/);
  assert.ok((await readdir(bed.directory)).includes(key));
  await done('/tokens/login/mytok%20wr');
  assert.ok(!(await readdir(bed.directory)).includes(key));
  assert.deepEqual(await filesOf(bed), ['mytok_rd.top', 'mytok_wr.top', 'other_x.top']);
  assert.equal((await visitor.get(link)).location, '/', 'the link leads to what was done with it');
});

const tokenOf = ({ body }: Answer): string => /name="token" value="([^"]*)"/.exec(body)?.[1] ?? '';

const proxied: WebBedOptions = {
  tls: 'none',
  web: { trustedProxies: ['127.0.0.1'], login: { kind: 'proxy', header: 'X-Site-User' } },
};

test('MED-11: the user that a proxy names may confirm their own requests only, and only a trusted proxy is believed', async () => {
  await using bed = await webBed(proxied);
  const { link } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok')]);
  const proxy = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.9' };
  const seen = async (user: string | undefined): Promise<Answer> =>
    await new Visitor(bed, { ...proxy, ...(user === undefined ? {} : { 'x-site-user': user }) }).get(link);
  assert.match((await seen('alice')).body, /You are logged in here as <strong>alice<\/strong>/);
  assert.match((await seen('bob')).body, /This request is not yours/);
  assert.match((await seen(undefined)).body, /did not say who you are/);
  const alice = new Visitor(bed, { ...proxy, 'x-site-user': 'alice' });
  await alice.confirm(link);
  assert.ok(bed.log.some((line) => line.includes('a browser at 192.0.2.9 says that it is alice')));
  const stolen = new Visitor(bed, { ...proxy, 'x-site-user': 'bob' });
  stolen.cookies.set('__Host-tokeep', alice.id);
  assert.equal((await stolen.get('/')).status, 403, 'the header counts at every request');
  const token = tokenOf(await alice.get('/'));
  assert.equal((await stolen.post('/login/mytok', { token })).status, 403);
  assert.equal((await stolen.get('/return/mytok?code=c&state=s')).location, '/stopped/other-user');
  // A form of one's own request does not confirm that of another.
  const { link: own } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok', { localUser: 'bob' })]);
  const bob = new Visitor(bed, { ...proxy, 'x-site-user': 'bob' });
  const page = await bob.get(own);
  assert.equal((await bob.post(link, { token: tokenOf(page) })).status, 403);
  assert.equal((await bob.press(page, /\/key\//)).location, '/');
  await using untrusting = await webBed({ ...proxied, web: { ...proxied.web, trustedProxies: ['192.0.2.1'] } });
  const { link: other } = await untrusting.ask([loginRequest(untrusting, 'https://issuer.example', 'mytok')]);
  const outsider = await new Visitor(untrusting, { 'x-site-user': 'alice' }).get(other);
  assert.equal(outsider.status, 403);
  assert.match(outsider.body, /did not say who you are/);
});

test('a login that the site wants and that is not rightly set up lets nobody in', async () => {
  await using bed = await webBed({ web: { login: { kind: 'closed' } } });
  const { link } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok')]);
  const { status, body } = await new Visitor(bed).get(link);
  assert.equal(status, 503);
  assert.match(body, /Logins are closed/);
});

test('the claim of the site is the local user, its part before the domain, or what a mapfile makes of it', async () => {
  const world = realWorld();
  const directory = await mkdtemp(join(tmpdir(), 'web-mapfile-'));
  const mapfile = join(directory, 'map');
  await writeFile(
    mapfile,
    '# claims\n* alice@idp.example alice\n* /^(.*)@cern\\.ch$/ c_\\1\n* root@idp.example ../etc\n',
  );
  const table: readonly (readonly [unknown, boolean, boolean, string | undefined])[] = [
    ['alice', false, false, 'alice'],
    ['alice@idp.example', false, false, undefined],
    ['alice@idp.example', true, false, 'alice'],
    ['alice@idp.example', false, true, 'alice'],
    ['bob@cern.ch', false, true, 'c_bob'],
    ['bob@elsewhere.example', false, true, undefined],
    ['root@idp.example', false, true, undefined],
    ['../etc', false, false, undefined],
    ['', false, false, undefined],
    [7, false, false, undefined],
    [undefined, false, false, undefined],
  ];
  try {
    for (const [value, stripDomain, mapped, user] of table) {
      const rule = { claim: 'eppn', stripDomain, ...(mapped ? { mapfile } : {}) };
      assert.equal(await localUserOf(world, rule, { eppn: value }), user, String(value));
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("the site's own issuer says who may confirm, by a button on its page", async () => {
  await using site = await startIssuer();
  const login = {
    kind: 'oidc',
    issuer: site.issuer as IssuerUrl,
    clientId: 'site.test',
    clientSecret: { kind: 'inline', secret: new Secret('client_secret', clientSecret) },
    scope: 'openid',
    claim: 'sub',
    stripDomain: true,
  } as const;
  await using bed = await webBed({ web: { login } });
  const redirects = { redirect_uris: [`${bed.prefix}/signed-in`], response_types: ['code'] };
  await site.restart({
    clients: [
      { client_id: 'site.test', client_secret: clientSecret, grant_types: ['authorization_code'], ...redirects },
    ],
  });
  const { link } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok')]);
  const signIn = async (name: string): Promise<readonly [Visitor, Answer]> => {
    const visitor = new Visitor(bed);
    const page = await visitor.get(link);
    assert.match(page.body, /This site wants to know who you are first/);
    const { location } = await visitor.press(page, '/sign-in');
    const back = await approve(location, { login: name });
    assert.equal((await visitor.get(back)).location, link.slice(bed.prefix.length), bed.log.join(''));
    return [visitor, await visitor.get(link)];
  };
  const [alice, page] = await signIn('alice@site.example');
  assert.match(page.body, /You are logged in here as <strong>alice<\/strong>/);
  assert.equal((await alice.press(page, /\/key\//)).location, '/');
  assert.equal((await alice.get('/')).status, 200);
  const [bob, refused] = await signIn('bob@site.example');
  assert.match(refused.body, /This request is not yours/);
  const { link: own } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok', { localUser: 'bob' })]);
  const token = tokenOf(await bob.get(own));
  assert.equal((await bob.post(link, { token })).status, 403, 'a form of one request does not confirm another');
  assert.equal((await bob.post(own, { token })).location, '/');
  const stranger = new Visitor(bed);
  assert.equal((await stranger.post(link, { token: tokenOf(await stranger.get(link)) })).status, 403, 'not signed in');
  assert.ok(bed.log.some((line) => /web-signed-in: bob logged in/.test(line)));
});

test('keys of local issuers whose ISSUER is here are published where services look for them', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const local: Partial<LocalProvider> & { provider: string } = {
    provider: 'scitokens',
    keyId: 'k1',
    lifetime: minutes(20),
  };
  await using bed = await webBed({
    local: local as LocalProvider,
    settle: async ({ prefix, directory }) => {
      const path = join(directory, '..', 'scitokens.pem');
      await writeFile(path, publicKey.export({ type: 'spki', format: 'pem' }));
      Object.assign(local, { issuer: `${prefix}/vo`, publicKey: path });
    },
  });
  const visitor = new Visitor(bed);
  const metadata = JSON.parse((await visitor.get('/vo/.well-known/openid-configuration')).body);
  assert.deepEqual(metadata, { issuer: `${bed.prefix}/vo`, jwks_uri: `${bed.prefix}/vo/.well-known/jwks-uri` });
  const { keys } = JSON.parse((await visitor.get(metadata.jwks_uri)).body);
  assert.deepEqual([keys.length, keys[0].kid, keys[0].crv, keys[0].d], [1, 'k1', 'P-256', undefined]);
  assert.equal((await visitor.get('/.well-known/openid-configuration')).status, 404);
});
