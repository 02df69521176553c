import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTop } from '../../src/condor/top-file.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { minutes } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { approve } from '../peers/approve.ts';
import { hostileIssuer, token } from '../peers/hostile-issuer.ts';
import { startIssuer } from '../peers/start-issuer.ts';
import { clientSecret, issuerFor, loginRequest, type WebBed, webBed } from './web-bed.ts';
import { Visitor } from './web-visitor.ts';

const filesOf = async (bed: WebBed, user = 'alice') => await readdir(join(bed.directory, user)).catch(() => []);

test('an issuer that sends people on to another one does not get the code of that one', async () => {
  await using bed = await webBed();
  await using evil = await hostileIssuer();
  let asked = 0;
  evil.always((response, request) => {
    asked += 1;
    token()(response, request);
  });
  const { link } = await bed.ask([
    loginRequest(bed, evil.issuer, 'evil'),
    loginRequest(bed, 'https://honest.example', 'honest'),
  ]);
  const visitor = new Visitor(bed);
  const { location } = await visitor.press(await visitor.confirm(link), '/login/evil');
  const state = new URL(location).searchParams.get('state') ?? '';
  // RFC 9700 section 4.4: the honest issuer answers at its own return address, with the state of the login at the other.
  const back = await visitor.get(`/return/honest?${new URLSearchParams({ state, code: 'code-of-honest' })}`);
  assert.deepEqual([back.status, back.location], [303, '/']);
  assert.equal(asked, 0);
  assert.match((await visitor.get('/')).body, /the answer came to the return address of another service/);
  assert.deepEqual(await filesOf(bed), []);
});

test('the first login decides for a service however its name is written, since HTCondor takes its knobs for the same', async () => {
  await using bed = await webBed();
  await using peer = await issuerFor(bed, ['mytok', 'MyTok']);
  const logIn = async (provider: string, login: string) => {
    const { link } = await bed.ask([loginRequest(bed, peer.issuer, provider)]);
    const visitor = new Visitor(bed);
    await visitor.get(await visitor.toIssuerAndBack(await visitor.confirm(link), `/login/${provider}`, login));
    return (await visitor.get('/')).body;
  };
  assert.match(await logIn('mytok', 'alice@idp'), /You are alice@idp there/);
  assert.match(await logIn('MyTok', 'mallory@idp'), /alice logged in here as somebody else before/);
  assert.deepEqual(await filesOf(bed), ['mytok.top']);
  assert.equal((await bed.pins.allow('alice', 'MYTOK'))?.subject, 'mallory@idp');
  assert.ok(await bed.pins.forget('alice', 'MyTok'));
  assert.deepEqual(await bed.pins.all(), []);
});

test("WEB-08: whoever signed in at the site's issuer does so again after twelve hours, whatever they confirmed since", async () => {
  const clock = new TestClock();
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
  await using bed = await webBed({ web: { login }, world: { clock } });
  const client = { client_id: 'site.test', client_secret: clientSecret, grant_types: ['authorization_code'] as const };
  await site.restart({
    clients: [{ ...client, redirect_uris: [`${bed.prefix}/signed-in`], response_types: ['code'] }],
  });
  const visitor = new Visitor(bed);
  const ask = async () => (await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok')])).link;
  const first = await ask();
  const { location } = await visitor.press(await visitor.get(first), '/sign-in');
  await visitor.get(await approve(location, { login: 'alice@site.example' }));
  for (let quarter = 0; quarter < 48; quarter += 1) {
    await visitor.confirm(await ask());
    clock.advance(minutes(15));
  }
  clock.advance(minutes(1));
  assert.match((await visitor.get(await ask())).body, /This site wants to know who you are first/);
});

test('a token without a refresh token is put down for the credmon alone, with nothing of the answer that means something else there', async () => {
  await using bed = await webBed();
  await using issuer = await hostileIssuer();
  const { link } = await bed.ask([loginRequest(bed, issuer.issuer, 'mytok', { audience: '' })]);
  const visitor = new Visitor(bed);
  const { location } = await visitor.press(await visitor.confirm(link), '/login/mytok');
  issuer.always(
    token({
      id_token: undefined,
      expires_in: null,
      audience: ['https://a.example'],
      vault_url: 'https://vault.example',
      padding: 'x'.repeat(100_000),
    }),
  );
  const state = new URL(location).searchParams.get('state') ?? '';
  await visitor.get(`/return/mytok?${new URLSearchParams({ state, code: 'code-0123456789' })}`);
  // condor_shadow takes root's files only where TRUST_CREDENTIAL_DIRECTORY is false: the credmon makes them.
  assert.deepEqual(await filesOf(bed), ['mytok.top']);
  const top = parseTop(await readFile(join(bed.directory, 'alice', 'mytok.top')));
  assert.ok(top.kind === 'access_token', top.kind);
  assert.deepEqual([top.scopes, top.audience], ['openid, offline_access, storage.read:/', undefined]);
  assert.match((await visitor.get('/')).body, /logged in, token on its way/);
});

test('whatever an issuer calls its error, the list of services goes on', async () => {
  await using bed = await webBed();
  const { link } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok')]);
  const visitor = new Visitor(bed);
  let list = await visitor.confirm(link);
  for (const error of ['__proto__', 'constructor', '\u202e<b>', 'x'.repeat(5_000)]) {
    const { location } = await visitor.press(list, '/login/mytok');
    const state = new URL(location).searchParams.get('state') ?? '';
    await visitor.get(`/return/mytok?${new URLSearchParams({ state, error })}`);
    list = await visitor.get('/');
    assert.equal(list.status, 200, error);
    assert.match(list.body, /did not log you in: .*<p>Tell the administrator of this access point/s);
    assert.doesNotMatch(list.body, /<b>|\u202e|x{300}/);
  }
});

test('a room full of people behind one address logs in at the same time', async () => {
  await using bed = await webBed({ rate: 'usual' });
  const people = Array.from({ length: 40 }, () => new Visitor(bed));
  const { link } = await bed.ask([loginRequest(bed, 'https://issuer.example', 'mytok')]);
  for (const one of people) await one.confirm(link);
  for (let look = 0; look < 10; look += 1) {
    for (const one of people) assert.equal((await one.get('/')).status, 200);
  }
});
