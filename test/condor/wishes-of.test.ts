import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { signingKey } from '../../src/acquire/signing-key.ts';
import { vaultGrant } from '../../src/acquire/vault.ts';
import type { Authz } from '../../src/condor/authz.ts';
import { type CredentialName, credentialName } from '../../src/condor/credential-name.ts';
import { leadTime } from '../../src/condor/lead-time.ts';
import { prepareLocalIssuer } from '../../src/condor/local-issuer.ts';
import { type MetaFile, parseMetaFile } from '../../src/condor/meta-file.ts';
import { plainUrl, unfitOutsideUrl } from '../../src/condor/outside-url.ts';
import { parentOf } from '../../src/condor/parent.ts';
import type { ClientProvider, CredmonSettings, LocalProvider, OAuth2Provider } from '../../src/condor/settings.ts';
import { parseTop } from '../../src/condor/top-file.ts';
import { type FoundTop, type OwnPart, type Understanding, wishOf } from '../../src/condor/wishes-of.ts';
import type { Account, Wish } from '../../src/config/config.ts';
import { ownIssuers } from '../../src/mint/own-issuers.ts';
import { requestFor } from '../../src/renew/job.ts';
import { settled } from '../../src/renew/outcome.ts';
import type { RenewPorts } from '../../src/renew/ports.ts';
import { judge } from '../../src/renew/verdict.ts';
import type { TokenFacts, WishRecord } from '../../src/store/records.ts';
import { decodeJwt } from '../../src/token/jwt.ts';
import type { IssuerUrl, WishName } from '../../src/token/names.ts';
import { after, between, type Epoch, epoch, type Millis, minutes, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { startVaultServer } from '../peers/vault-server.ts';
import { depsOf, freshPlace, providerIn } from './local-bed.ts';

const directory = '/var/lib/condor/oauth_credentials';
const secretFile = { kind: 'file', path: '/etc/condor/.secrets/mytok' } as const;
const mytok: OAuth2Provider = {
  provider: 'mytok',
  clientId: 'client-mytok',
  clientSecret: secretFile,
  tokenUrl: 'https://issuer.example.org/token',
};
const local: LocalProvider = {
  provider: 'scitokens',
  privateKey: '/etc/condor/scitokens-private.pem',
  publicKey: '/etc/condor/scitokens.pem',
  keyId: 'local',
  algorithm: 'ES256',
  issuer: 'https://ap.example.org',
  lifetime: seconds(1200),
  audience: ['ce.example.org:9619', 'se.example.org'],
  version: 'scitoken:2.0',
  profile: 'scitokens',
  json: true,
  authz: { template: 'read:/user/{username}' },
};
const client: ClientProvider = {
  provider: 'robot',
  clientId: 'client-robot',
  clientSecret: secretFile,
  issuer: 'https://issuer.example.org' as IssuerUrl,
  audience: ['https://a.example', 'https://b.example'],
  authz: { template: 'read:/{username}' },
};

const kinds: Readonly<Record<string, 'local' | 'client' | 'oauth2' | 'vault' | 'mytoken'>> = {
  scitokens: 'local',
  robot: 'client',
  mytok: 'oauth2',
  cms: 'vault',
  kit: 'mytoken',
};

function settingsWith(change: Partial<CredmonSettings> = {}): CredmonSettings {
  return {
    directory,
    trustDirectory: false,
    refreshInJobs: seconds(300),
    json: true,
    specialNames: false,
    state: '/var/lib/tokeep-credmon',
    networkUser: 'condor',
    kindOf: (provider) => kinds[provider],
    oauth2: (provider) => (provider === 'mytok' ? mytok : undefined),
    local: (provider) => (provider === 'scitokens' ? local : undefined),
    client: (provider) => (provider === 'robot' ? client : undefined),
    localProviders: ['scitokens'],
    vault: { hosts: ['vault.example.org'], minimum: seconds(2400), caFile: '/etc/ca.pem' },
    mytoken: { servers: ['https://mytoken.example.org'] },
    web: {
      prefix: 'https://ap.example.org',
      listen: '127.0.0.1:8443',
      trustedProxies: [],
      login: { kind: 'none' },
      user: 'condor',
      state: '/var/lib/tokeep-web',
      host: 'ap.example.org',
    },
    findings: [],
    ...change,
  };
}
const settings = settingsWith();
const special = settingsWith({ specialNames: true, kindOf: (provider) => kinds[provider.split('_')[0] ?? ''] });

const authz = (...scopes: string[]): Authz => ({ kind: 'scopes', scopes, remarks: [] });
const own: OwnPart = { authz: authz('read:/user/alice', 'condor:/WRITE'), issuer: '/var/lib/tokeep-credmon/scitokens' };

const top = (content: unknown) =>
  parseTop(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)));
const named = (name: string, user = 'alice', specialNames = false): CredentialName => {
  const credential = credentialName(user, name, { specialNames });
  assert.ok(credential !== undefined);
  return credential;
};
const found = (name: string, content: unknown, more: Partial<FoundTop> = {}): FoundTop => ({
  credential: named(name),
  top: top(content),
  ...more,
});

function fit(understanding: Understanding): { account: Account; wish: Wish; shared: boolean } {
  assert.equal(understanding.kind, 'wish', inspect(understanding));
  return understanding as Extract<Understanding, { kind: 'wish' }>;
}
function faultOf(understanding: Understanding) {
  assert.equal(understanding.kind, 'unfit', inspect(understanding));
  return (understanding as Extract<Understanding, { kind: 'unfit' }>).fault;
}
const sent = ({ wish }: { wish: Wish }) => ({
  scope: wish.scope.kind === 'scopes' ? wish.scope.scopes.join(' ') : wish.scope.kind,
  audience: wish.audience.audiences.join(' '),
});

test('a refresh token is an account of its own, with the client of the configuration, and nothing is asked that the login did not grant', () => {
  const stored = { refresh_token: 'rt', scopes: 'read:/a, write:/b', audience: 'https://se.example' };
  const { account, wish, shared } = fit(wishOf(found('mytok_rd', stored), settings));
  assert.equal(shared, false);
  assert.equal(account.name, 'alice/mytok_rd');
  assert.equal(account.at.file, `${directory}/alice/mytok_rd.top`);
  assert.deepEqual(account.grant === 'refresh_token' && account.client, {
    clientId: 'client-mytok',
    clientAuth: { kind: 'client_secret_post', secret: secretFile },
  });
  assert.deepEqual(account.issuer, { kind: 'token-endpoint', url: mytok.tokenUrl });
  assert.deepEqual(sent({ wish }), { scope: 'absent', audience: '' });
  assert.deepEqual(wish.targets, [
    { kind: 'use', id: 'use:alice/mytok_rd', directory, user: 'alice', name: 'mytok_rd', form: 'json', mode: 0o400 },
  ]);
  assert.equal(wish.minLifetime, seconds(360));
});

test('where the bare token is wanted, every kind writes it, and a .use in another form is another target', () => {
  const shape = (name: string, content: unknown, json: boolean) => {
    const [target] = fit(wishOf(found(name, content), settingsWith({ json }), own)).wish.targets;
    return target?.kind === 'use' ? `${target.form} ${target.id}` : undefined;
  };
  const vault = { vault_token: 'hvs.x', vault_url: 'https://vault.example.org:8200/v1/secret/oauth/creds/cms/alice' };
  assert.deepEqual(
    [true, false].map((json) => [
      shape('mytok', { refresh_token: 'rt' }, json),
      shape('scitokens', 'alice', json),
      shape('robot', 'alice', json),
      shape('mytok', { access_token: 'at' }, json),
      shape('cms', vault, json),
    ]),
    [
      [
        'json use:alice/mytok',
        'json use:alice/scitokens',
        'json use:alice/robot',
        'json use:alice/mytok',
        'text use:alice/cms:bare',
      ],
      [
        'text use:alice/mytok:bare',
        'text use:alice/scitokens:bare',
        'text use:alice/robot:bare',
        'text use:alice/mytok:bare',
        'text use:alice/cms:bare',
      ],
    ],
  );
});

test('other words in the .top file are another wish; a successor of the refresh token is not', () => {
  const wishFor = (content: object) => fit(wishOf(found('mytok', content), settings));
  const first = wishFor({ refresh_token: 'rt-1', scopes: 'a' });
  const rotated = wishFor({ refresh_token: 'rt-2', scopes: 'a' });
  assert.equal(rotated.wish.fingerprint, first.wish.fingerprint);
  assert.equal(rotated.account.fingerprint, first.account.fingerprint);
  assert.notEqual(wishFor({ refresh_token: 'rt-1', scopes: 'a b' }).wish.fingerprint, first.wish.fingerprint);
  assert.notEqual(wishFor({ refresh_token: 'rt-1', audience: 'x' }).wish.fingerprint, first.wish.fingerprint);
});

test('with an issuer the token endpoint is learnt from it, and a public client sends no secret', () => {
  const { clientSecret, ...open } = mytok;
  const more = { ...open, issuer: 'https://issuer.example.org/' as IssuerUrl };
  const { account } = fit(wishOf(found('mytok', { refresh_token: 'rt' }), settingsWith({ oauth2: () => more })));
  assert.deepEqual(account.issuer, { kind: 'discovered', issuer: 'https://issuer.example.org/' });
  assert.equal(account.grant === 'refresh_token' && account.client?.clientAuth.kind, 'none');
});

const metaOf = (content: object): MetaFile => parseMetaFile(Buffer.from(JSON.stringify(content)));
const notes = {
  client_id: 'c',
  client_secret: 'canary',
  token_url: 'https://issuer.example.org/t',
  use_refresh_token: true,
};

test('without a client in the configuration the notes of the shipped web login do, whose secret stays where it is', () => {
  const bare = settingsWith({ oauth2: () => undefined });
  const { account } = fit(wishOf(found('mytok', { refresh_token: 'rt' }, { meta: metaOf(notes) }), bare));
  assert.deepEqual(account.grant === 'refresh_token' && account.client, {
    clientId: 'c',
    clientAuth: {
      kind: 'client_secret_post',
      secret: { kind: 'file', path: `${directory}/alice/mytok.meta`, member: 'client_secret' },
    },
  });
  assert.ok(!inspect(account, { depth: 9 }).includes('canary'));
  const none = faultOf(wishOf(found('mytok', { refresh_token: 'rt' }), bare));
  assert.equal(none.code, 'config-invalid');
  assert.match(none.hint ?? '', /set mytok_CLIENT_ID/);
  const steered = metaOf({ ...notes, token_url: 'https://169.254.169.254/token' });
  assert.match(faultOf(wishOf(found('mytok', { refresh_token: 'rt' }, { meta: steered }), bare)).message, /address/);
});

test('a login that brought no refresh token is not renewed, and that is said', () => {
  const meta = metaOf({ ...notes, use_refresh_token: false });
  const fault = faultOf(wishOf(found('mytok', { refresh_token: '' }, { meta }), settings));
  assert.equal(fault.code, 'credential-unfit');
  assert.match(fault.message, /came with no refresh token/);
  const later = wishOf(found('mytok', { refresh_token: 'rt' }, { meta }), settings);
  assert.equal(fit(later).account.grant, 'refresh_token', 'a later login brought one');
});

test('the local issuer signs for the user whose directory it is, whatever the file says', () => {
  for (const content of ['alice', 'mallory', '', 'mallory\n', '{broken', { vault_token: 'x' }]) {
    const { account, wish, shared } = fit(wishOf(found('scitokens', content), settings, own));
    assert.equal(shared, true);
    assert.equal(account.name, 'condor:scitokens');
    assert.equal(account.grant === 'signing_key' && account.keys, own.issuer);
    assert.equal(wish.subject, 'alice');
    assert.equal(wish.lifetime, seconds(1200));
    assert.deepEqual(sent({ wish }), {
      scope: 'read:/user/alice condor:/WRITE',
      audience: 'ce.example.org:9619 se.example.org',
    });
  }
  const one = fit(wishOf(found('scitokens', 'alice'), settings, own)).account;
  const other = fit(wishOf({ credential: named('scitokens', 'bob'), top: top('bob') }, settings, own)).account;
  assert.equal(one, other, 'one account for all, so that what was learnt of it is remembered');
});

test('a handle of the local issuer gets less than the templates give, and never more', () => {
  const less = { scopes: 'read:/user/alice/job1', audience: 'se.example.org' };
  assert.deepEqual(sent(fit(wishOf(found('scitokens_job1', less), settings, own))), {
    scope: 'read:/user/alice/job1',
    audience: 'se.example.org',
  });
  const more = faultOf(wishOf(found('scitokens_job1', { scopes: 'read:/user/alice read:/' }), settings, own));
  assert.match(more.message, /asks for read:\/, which alice may not have here$/);
  assert.match(more.hint ?? '', /give read:\/user\/alice, condor:\/WRITE/);
  const elsewhere = faultOf(wishOf(found('scitokens_job1', { audience: 'x.example' }), settings, own));
  assert.match(elsewhere.message, /a token for x\.example, which tokens from here are not for$/);
  assert.match(
    faultOf(wishOf(found('scitokens_job1', '{"scopes":7}'), settings, own)).message,
    /scopes that is no text/,
  );
});

test('what the local issuer is asked for, for all and for a handle, it signs', async () => {
  const place = freshPlace();
  const deps = depsOf(place);
  const provider = providerIn(place, { audience: ['https://a.example', 'https://b.example'] });
  const { directory: issuer } = await prepareLocalIssuer(deps, provider);
  const own = ownIssuers(deps.world, { sealer: deps.sealer, chain: 'test' });
  try {
    const part = { authz: authz('read:/user/alice', 'write:/user/alice'), issuer };
    for (const [name, content, scope, aud] of [
      ['scitokens', 'alice', 'read:/user/alice write:/user/alice', ['https://a.example', 'https://b.example']],
      [
        'scitokens_job1',
        { scopes: 'read:/user/alice/j', audience: 'https://b.example' },
        'read:/user/alice/j',
        ['https://b.example'],
      ],
    ] as const) {
      const { account, wish } = fit(wishOf(found(name, content), settingsWith({ local: () => provider }), part));
      assert.ok(account.grant === 'signing_key');
      const signal = new AbortController().signal;
      const context = { world: deps.world, account, record: undefined, secrets: {}, signal, ownIssuers: own };
      const raw = await signingKey.send(context, await requestFor({} as RenewPorts, account, wish));
      assert.ok(raw.kind === 'raw', inspect(raw));
      const outcome = signingKey.judge(raw, context);
      const decoded = outcome.kind === 'token' ? decodeJwt(outcome.token.reveal()) : undefined;
      const claims = decoded?.kind === 'jwt' ? decoded.claims : {};
      assert.deepEqual([claims['sub'], claims['scope'], claims['aud']], ['alice', scope, [...aud]]);
      assert.equal(Number(claims['exp']) - Number(claims['iat']), 1200);
    }
  } finally {
    await own.close();
  }
});

test('who may have nothing gets no token, with the sentence of the templates', () => {
  const refused = { kind: 'refused', fault: faultOf(wishOf(found('mytok', {}), settings)) } as const;
  assert.equal(
    faultOf(wishOf(found('scitokens', 'alice'), settings, { ...own, authz: refused })).code,
    refused.fault.code,
  );
  const { wish } = fit(wishOf(found('scitokens', 'alice'), settings, { ...own, authz: authz() }));
  assert.equal(wish.scope.kind, 'absent');
  assert.equal(faultOf(wishOf(found('scitokens', 'alice'), settings, {})).code, 'config-invalid');
});

test('client credentials ask in the body for the scopes of the templates and for condor.user', () => {
  const credential = named('robot', 'a+b=c');
  const { account, wish, shared } = fit(
    wishOf({ credential, top: top('a+b=c') }, settings, { authz: authz('read:/x') }),
  );
  assert.equal(shared, true);
  assert.equal(account.audienceStyle, 'audience');
  assert.equal(account.grant === 'client_credentials' && account.clientAuth.kind, 'client_secret_post');
  assert.deepEqual(account.issuer, { kind: 'discovered', issuer: 'https://issuer.example.org' });
  assert.deepEqual(sent({ wish }), {
    scope: 'read:/x condor.user:a%2Bb%3Dc',
    audience: 'https://a.example https://b.example',
  });
  assert.deepEqual(wish.extraScopes, ['condor.user:a%2Bb%3Dc'], 'an issuer need not give it');
});

const vaultUrl = 'https://vault.example.org:8200/v1/secret/oauth/creds/cms/alice:default';

test('a vault token is read from its .top file each time, and never stands anywhere else', () => {
  const { account, wish } = fit(wishOf(found('cms', { vault_token: 'hvs.canary', vault_url: vaultUrl }), settings));
  assert.equal(account.grant, 'vault');
  if (account.grant !== 'vault') return;
  assert.equal(account.server, 'https://vault.example.org:8200');
  assert.equal(account.secretPath, 'secret/oauth/creds/cms/alice:default');
  assert.deepEqual(account.vaultToken, { kind: 'file', path: `${directory}/alice/cms.top`, member: 'vault_token' });
  assert.equal(account.caFile, '/etc/ca.pem');
  assert.equal(wish.lifetime, seconds(2400), 'minimum_seconds');
  assert.equal(wish.minLifetime, seconds(2400));
  assert.equal(wish.targets[0]?.kind === 'use' && wish.targets[0].form, 'text');
  assert.ok(!inspect([account, wish], { depth: 9 }).includes('canary'));
  assert.ok(!JSON.stringify([account, wish]).includes('canary'));
});

test('another vault token is another try, since the old one may have been refused', () => {
  const wishFor = (vault_token: string) => fit(wishOf(found('cms', { vault_token, vault_url: vaultUrl }), settings));
  const [first, second] = [wishFor('hvs.1'), wishFor('hvs.2')];
  assert.notEqual(first.account.fingerprint, second.account.fingerprint);
  assert.notEqual(first.wish.fingerprint, second.wish.fingerprint);
});

test('the vault is asked with what stands in the .top file at that moment, for as much life as HTCondor wants', async () => {
  await using server = await startVaultServer();
  const home = await mkdtemp('/tmp/tokeep-wishes-');
  try {
    const place = settingsWith({ directory: home });
    const put = async (vault_token: string) => {
      await mkdir(`${home}/alice`, { recursive: true });
      await writeFile(`${home}/alice/cms.top`, JSON.stringify({ vault_token, vault_url: vaultUrl }), { mode: 0o600 });
    };
    const ask = async () => {
      const { account, wish } = fit(wishOf(found('cms', await readFile(`${home}/alice/cms.top`, 'utf8')), place));
      assert.ok(account.grant === 'vault');
      const world = realWorld();
      const signal = new AbortController().signal;
      const context = { world, account: { ...account, server: server.url }, record: undefined, secrets: {}, signal };
      const { audience, scope, lifetime } = wish;
      const raw = await vaultGrant.send(context, { audience, scope, ...(lifetime === undefined ? {} : { lifetime }) });
      assert.ok(raw.kind === 'raw', inspect(raw));
      return vaultGrant.judge(raw, context);
    };
    server.store('secret/oauth/creds/cms/alice:default', 7200);
    server.tokens.set('hvs.2', { ttl: 3600, creationTtl: 3600, renewable: false, paths: ['secret/oauth/'] });
    await put('hvs.1');
    const refused = await ask();
    assert.ok(refused.kind === 'refused' && refused.credentialDead, inspect(refused));
    assert.equal(refused.fault.code, 'login-needed');
    await put('hvs.2');
    assert.equal((await ask()).kind, 'token');
    assert.equal(server.requests.at(-1), 'GET /v1/secret/oauth/creds/cms/alice:default?minimum_seconds=2400');
  } finally {
    await rm(home, { recursive: true });
  }
});

test('a vault handle uses the token of what it belongs to: all before the last _', () => {
  const asked = {
    vault_url: vaultUrl.replace('creds', 'sts'),
    scopes: 'storage.read:/a,compute.read',
    audience: 'x,y',
  };
  const credential = named('cms_prod_job1');
  const parent = parentOf(credential, top(asked), settings);
  assert.equal(parent?.name, 'cms_prod');
  const holder = top({ vault_token: 'hvs.canary', vault_url: vaultUrl });
  const { account, wish } = fit(wishOf({ credential, top: top(asked), parent: holder }, settings));
  assert.equal(account.name, 'alice/cms_prod_job1');
  assert.deepEqual(account.grant === 'vault' && account.vaultToken, {
    kind: 'file',
    path: `${directory}/alice/cms_prod.top`,
    member: 'vault_token',
  });
  assert.deepEqual(sent({ wish }), { scope: 'storage.read:/a compute.read', audience: 'x y' });
  assert.match(faultOf(wishOf({ credential, top: top(asked) }, settings)).message, /neither has .*cms_prod\.top$/);
  assert.match(faultOf(wishOf(found('cms', asked), settings)).message, /nothing that it could belong to$/);
});

test('MED-12: a vault_url goes to trusted hosts at their port, and nowhere else', () => {
  const refusal = (vault_url: string, hosts: readonly string[] | undefined = ['vault.example.org']) =>
    faultOf(
      wishOf(
        found('cms', { vault_token: 'hvs.canary', vault_url }),
        settingsWith({ vault: { ...settings.vault, hosts } }),
      ),
    );
  const path = '/v1/secret/oauth/creds/cms/alice:default';
  const unset = wishOf(
    found('cms', { vault_token: 't', vault_url: vaultUrl }),
    settingsWith({ vault: { hosts: undefined, minimum: seconds(2400) } }),
  );
  assert.equal(faultOf(unset).code, 'server-untrusted');
  assert.match(faultOf(unset).message, /TRUSTED_VAULT_HOSTS is not set/);
  for (const url of [
    `https://evil.example:8200${path}`,
    `https://vault.example.org.evil.example:8200${path}`,
    `https://vault.example.org:9200${path}`,
    `https://vault.example.org${path}`,
  ]) {
    assert.equal(refusal(url).code, 'server-untrusted', url);
  }
  for (const url of hostile) assert.equal(refusal(url).code, 'credential-unfit', url);
  assert.equal(refusal('https://vault.example.org:8200/ui/').code, 'credential-unfit');
  const ported = settingsWith({ vault: { ...settings.vault, hosts: ['vault.example.org:8300'] } });
  const other = wishOf(found('cms', { vault_token: 't', vault_url: `https://Vault.Example.org:8300${path}` }), ported);
  assert.equal(fit(other).account.grant, 'vault');
});

/** Spellings by which a request has been made to go elsewhere than its URL seems to say (MED-12). */
const hostile = [
  'http://vault.example.org:8200/v1/x',
  'https://user@vault.example.org:8200/v1/x',
  'https://vault.example.org:8200@evil.example/v1/x',
  'https://evil.example\\@vault.example.org:8200/v1/x',
  'https:\\\\vault.example.org:8200/v1/x',
  'https:/vault.example.org:8200/v1/x',
  'https://127.0.0.1:8200/v1/x',
  'https://127.1:8200/v1/x',
  'https://2130706433:8200/v1/x',
  'https://0x7f000001:8200/v1/x',
  'https://017700000001:8200/v1/x',
  'https://0x7f.1:8200/v1/x',
  'https://127.0.0.1.:8200/v1/x',
  'https://[::1]:8200/v1/x',
  'https://[::ffff:127.0.0.1]:8200/v1/x',
  'https://１２７.0.0.1:8200/v1/x',
  'https://vault.example.org:8200/v1/../sys/health',
  'https://vault.example.org:8200/v1/%2e%2e/sys/health',
  'https://vault.example.org:8200/v1/a/%2E./b',
  'https://vault.example.org:8200/v1//a',
  'https://vault.example.org:8200/v1/a%2fb',
  'https://vault.example.org:8200/v1/a?x=y',
  'https://vault.example.org:8200/v1/a#b',
  'https://vault.example.org:8200/v1/a\r\nX-Other: b',
  'https://vault.example.org:99999/v1/a',
  'https://vault.example.org:08200/v1/a',
  'file:///etc/shadow',
  'gopher://vault.example.org:8200/v1/a',
  '//vault.example.org:8200/v1/a',
  ' https://vault.example.org:8200/v1/a',
  `https://vault.example.org:8200/v1/${'a'.repeat(3000)}`,
  '',
];

test('MED-12: what reads a URL of a user agrees with the parser of URLs, or refuses it', () => {
  const piece = fc.constantFrom(
    'https://',
    'a.example',
    ':8200',
    '/v1/',
    '..',
    '%2e',
    '@',
    '\\',
    '?',
    '#',
    '127.1',
    'x',
    '[::1]',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.string(), (pieces, noise) => {
      for (const text of [pieces.join(''), pieces.join('') + noise, noise]) {
        const plain = plainUrl(text);
        if (typeof plain === 'string') continue;
        const url = new URL(text);
        assert.equal(url.hostname, plain.host);
        assert.equal(url.port, plain.port === undefined || plain.port === 443 ? '' : String(plain.port));
        assert.equal(url.pathname, plain.path === '' ? '/' : plain.path);
        assert.equal(url.username + url.password + url.search + url.hash, '');
      }
    }),
    { numRuns: 2000 },
  );
});

test('MED-12: a token endpoint out of a user directory is a full host name of the DNS', () => {
  for (const url of [
    'https://localhost/t',
    'https://intranet/t',
    'https://x.localhost/t',
    'https://metadata.internal/t',
    'https://a.local/t',
  ]) {
    assert.equal(unfitOutsideUrl(url), 'has a host that is not a full name of the DNS', url);
  }
  assert.equal(unfitOutsideUrl('https://issuer.example.org:8443/token'), undefined);
});

test('a mytoken goes to servers of the list, and without a list nowhere', () => {
  const stored = { mytoken: 'mt', mytoken_server: 'https://mytoken.example.org', scopes: 'a b' };
  const { account, wish } = fit(wishOf(found('kit', stored), settings));
  assert.equal(account.grant === 'mytoken' && account.server, 'https://mytoken.example.org');
  assert.deepEqual(sent({ wish }), { scope: 'a b', audience: '' });
  assert.equal(fit(wishOf(found('kit', { ...stored, mytoken: 'mt-2' }), settings)).wish.fingerprint, wish.fingerprint);
  for (const mytoken_server of [
    'https://evil.example',
    'https://mytoken.example.org:444',
    'https://mytoken.example.org.evil.example',
  ]) {
    assert.equal(faultOf(wishOf(found('kit', { ...stored, mytoken_server }), settings)).code, 'server-untrusted');
  }
  for (const mytoken_server of hostile) {
    assert.equal(faultOf(wishOf(found('kit', { ...stored, mytoken_server }), settings)).code, 'credential-unfit');
  }
  const unset = faultOf(wishOf(found('kit', stored), settingsWith({ mytoken: { servers: undefined } })));
  assert.match(unset.message, /TOKEEP_MYTOKEN_SERVERS is not set/);
});

test('a handle without a credential asks the account it belongs to for less', () => {
  const less = { scopes: 'read:/a,  read:/b', audience: 'https://se.example' };
  const parents = {
    mytok: { refresh_token: 'rt', scopes: 'read:/' },
    kit: { mytoken: 'mt', mytoken_server: 'https://mytoken.example.org' },
    cms: { vault_token: 'hvs.canary', vault_url: vaultUrl },
  };
  for (const [name, parent] of Object.entries(parents)) {
    const ofParent = fit(wishOf(found(name, parent), settings));
    const { account, wish } = fit(wishOf(found(`${name}_job1`, less, { parent: top(parent) }), settings));
    assert.deepEqual(account, ofParent.account, name);
    assert.equal(wish.name, `alice/${name}_job1`);
    assert.deepEqual(sent({ wish }), { scope: 'read:/a read:/b', audience: 'https://se.example' });
    assert.equal(wish.targets[0]?.kind === 'use' && wish.targets[0].form, name === 'cms' ? 'text' : 'json');
  }
  assert.match(
    faultOf(wishOf(found('mytok_job1', less), settings)).message,
    /there is no mytok\.top that it could use$/,
  );
  const plain = faultOf(wishOf(found('mytok_job1', less, { parent: top('alice') }), settings));
  assert.match(plain.message, /mytok\.top has none to use$/);
  assert.match(faultOf(wishOf(found('mytok', less), settings)).message, /holds no credential$/);
});

test('a pushed access token is handed on, and a newer one is another wish', () => {
  const writtenAt = epoch(Date.UTC(2026, 0, 1));
  const pushed = (access_token: string) =>
    fit(wishOf(found('mytok', { access_token, expires_in: 3600 }, { writtenAt }), settings));
  const { account, wish } = pushed('at-canary');
  assert.equal(account.grant, 'held_token');
  assert.equal(account.grant === 'held_token' && account.expiresAt, writtenAt + 3_600_000);
  assert.ok(!JSON.stringify([account, wish]).includes('canary'));
  assert.notEqual(pushed('at-2').wish.fingerprint, wish.fingerprint);
  assert.equal(wishOf(found('pelican', { access_token: 'subject' }), settings).kind, 'ignored');
});

test('names of nobody are ignored; a .top file of the wrong kind is unfit, with what it lacks', () => {
  assert.equal(wishOf(found('other', { refresh_token: 'rt' }), settings).kind, 'ignored');
  assert.match(
    faultOf(wishOf(found('mytok', 'alice'), settings)).message,
    /mytok\.top holds no refresh_token, which tokens of mytok/,
  );
  assert.match(faultOf(wishOf(found('cms', { refresh_token: 'rt' }), settings)).message, /holds no vault_url/);
  assert.match(faultOf(wishOf(found('kit', { refresh_token: 'rt' }), settings)).message, /holds no mytoken/);
  assert.match(faultOf(wishOf(found('mytok', '{'), settings)).message, /mytok\.top is not JSON$/);
});

test('where names are taken whole there are no handles, except those of the vault storer', () => {
  const credential = named('mytok_rd', 'alice', true);
  const { account } = fit(
    wishOf({ credential, top: top({ refresh_token: 'rt' }) }, { ...special, oauth2: () => mytok }),
  );
  assert.equal(account.name, 'alice/mytok_rd');
  assert.equal(parentOf(credential, top({ scopes: 'a' }), special), undefined);
  const vault = named('cms_prod', 'alice', true);
  assert.equal(parentOf(vault, top({ vault_url: vaultUrl }), special)?.name, 'cms');
});

test('scopes are split at commas and blanks, and what is none is unfit', () => {
  const parent = top({ refresh_token: 'rt' });
  const asking = (scopes: string, audience = '') =>
    wishOf(found('mytok_j', { scopes, audience }, { parent }), settings);
  for (const [text, words] of [
    ['a,b', 'a b'],
    ['a, b', 'a b'],
    [' a  b ', 'a b'],
    ['read:/x;y,write:/z', 'read:/x;y write:/z'],
    ['', 'absent'],
    [' , ', 'absent'],
  ] as const) {
    assert.equal(sent(fit(asking(text))).scope, words, text);
  }
  for (const bad of ['a"b', 'a\\b', 'é', 'a\nb', 'a\0b', 'x '.repeat(300), 'x'.repeat(9000)]) {
    assert.equal(faultOf(asking(bad)).code, 'credential-unfit');
  }
  for (const bad of ['https://sé.example', 'a\r\nb', 'x'.repeat(9000)]) {
    assert.equal(faultOf(asking('', bad)).code, 'credential-unfit');
  }
});

test('whatever a user stores, it is understood or said why not, never thrown, and never shown', () => {
  const secrets = fc.constantFrom('refresh_token', 'mytoken', 'vault_token', 'access_token');
  const others = fc.constantFrom('vault_url', 'mytoken_server', 'scopes', 'audience', 'expires_in', '__proto__');
  const secret = fc.oneof(fc.constant('canary-secret'), fc.jsonValue());
  const value = fc.oneof(fc.string(), fc.constantFrom(vaultUrl, 'https://mytoken.example.org'), fc.jsonValue());
  const json = fc
    .tuple(fc.dictionary(secrets, secret), fc.dictionary(others, value))
    .map(([first, second]) => JSON.stringify({ ...first, ...second }));
  const name = fc.constantFrom(
    'mytok',
    'mytok_j',
    'scitokens',
    'scitokens_j',
    'robot',
    'cms',
    'cms_p_j',
    'kit',
    'kit_j',
    'none',
  );
  fc.assert(
    fc.property(name, fc.oneof(json, fc.string()), fc.option(json, { nil: undefined }), (each, content, parent) => {
      const understood = wishOf(
        { credential: named(each), top: top(content), ...(parent === undefined ? {} : { parent: top(parent) }) },
        settings,
        own,
      );
      if (understood.kind !== 'wish') {
        const shown = understood.kind === 'unfit' ? `${understood.fault.message} ${understood.fault.hint}` : '';
        assert.ok(!shown.includes('canary'), shown);
        return;
      }
      const { account, wish } = understood;
      assert.equal(wish.account, account.name);
      if (account.grant === 'vault') assert.equal(account.server, 'https://vault.example.org:8200');
      if (account.grant === 'mytoken') assert.equal(new URL(account.server).origin, 'https://mytoken.example.org');
      if (account.grant === 'signing_key') assert.equal(wish.subject, 'alice');
      assert.match(JSON.stringify(wish.scope), /^[\x20-\x7e]*$/);
    }),
    { numRuns: 1500 },
  );
});

/** A job gets what lies in `.use` at any time, and its next token up to `refresh` later: how much of the token is left at the worst? */
function worstInJob(life: Millis, minLifetime: Millis, refresh: Millis, chance: number): Millis {
  const terms = { fingerprint: 'f', minLifetime, freshness: 'due-point' } as const;
  let at: Epoch = epoch(Date.UTC(2026, 0, 1));
  let record: WishRecord = freshRecord();
  let worst = life;
  for (let round = 0; round < 20; round += 1) {
    const expiresAt = after(at, life);
    const facts = {
      fingerprint: `t${round}`,
      issuedAt: at,
      expiresAt,
      audience: [],
      scope: [],
    } as unknown as TokenFacts;
    const outcome = { kind: 'renewed', facts, receivedAt: at, remark: undefined } as const;
    record = settled(record, terms, outcome, { now: at, chance });
    assert.equal(judge(terms, record, record.dueAt, { mode: 'daemon' }).kind, 'due');
    at = record.dueAt;
    worst = Math.min(worst, between(after(at, refresh), expiresAt)) as Millis;
  }
  return worst;
}

function freshRecord(): WishRecord {
  return {
    name: 'w' as WishName,
    account: 'a',
    fingerprint: 'f',
    wished: 'f',
    state: 'kept',
    token: null,
    renewAt: null,
    dueAt: epoch(0),
    failures: 0,
    trouble: null,
    remark: null,
    renewals: 0,
    fence: 1,
  } as unknown as WishRecord;
}

test('scenario 18: a job never holds an expired token, also where tokens live hardly longer than a job waits', () => {
  const refresh = seconds(300);
  for (const chance of [0, 0.5, 0.999]) {
    for (const life of [600, 1200, 3600, 21_600].map(seconds)) {
      assert.ok(
        worstInJob(life, leadTime({ refreshInJobs: refresh }), refresh, chance) >= minutes(1),
        `${life} ${chance}`,
      );
    }
    for (const life of [310, 330, 359].map(seconds)) {
      const worst = worstInJob(life, leadTime({ refreshInJobs: refresh }, life), refresh, chance);
      assert.ok(worst > 0, `${life} ${chance}: ${worst}`);
    }
  }
  assert.equal(
    leadTime({ refreshInJobs: refresh }, seconds(300)),
    seconds(360),
    'cannot be helped, and is said (token-short)',
  );
  assert.equal(leadTime({ refreshInJobs: seconds(0) }), minutes(1));
});
