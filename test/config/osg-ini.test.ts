import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account, Config, Wish } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { AccountName, WishName } from '../../src/token/names.ts';
import { load, sentences, worldOf } from './in-memory.ts';

const path = '/etc/osg/token-renewer/config.ini';
const account = (config: Config, name: string): Account => config.accounts.get(name as AccountName)!;
const wish = (config: Config, name: string): Wish => config.wishes.get(name as WishName)!;

const oidc = `[account myclient1234]
password_file = /etc/osg/tokens/myclient1234.pw

[token mytoken567]
account = myclient1234
token_path = /etc/osg/tokens/myclient1234.mytoken567.token
`;
const clientCredentials = `[account myclient1234]
token_request_url = https://cilogon.org:443/oauth2/token
client_id = host:demo.opensciencegrid.org
client_secret = redacted

[token mytoken567]
account = myclient1234
token_path = /etc/osg/tokens/myclient1234.mytoken567.token
audience = https://topology.opensciencegrid.org
min_lifetime = 7200
`;
const target = {
  kind: 'file',
  id: 'file:/etc/osg/tokens/myclient1234.mytoken567.token',
  path: '/etc/osg/tokens/myclient1234.mytoken567.token',
  mode: 0o600,
  existing: 'keep',
  inPlace: false,
};

test('the OIDC example of the OSG document becomes an account of oidc-agent taken over, a new token each pass, blank scope', async () => {
  const config = await load(path, oidc);
  assert.deepEqual(sentences(config), []);
  assert.equal(config.format, 'ini');
  const { fingerprint: ofAccount, at: accountAt, ...rest } = account(config, 'myclient1234');
  assert.deepEqual(rest, {
    name: 'myclient1234',
    grant: 'refresh_token',
    issuer: { kind: 'of-credential' },
    oidcAgentFile: {
      path: '/home/robot/.oidc-agent/myclient1234',
      password: { kind: 'file', path: '/etc/osg/tokens/myclient1234.pw' },
    },
    audienceStyle: 'audience',
    timeout: 30_000,
  });
  const { fingerprint, at, ...asked } = wish(config, 'mytoken567');
  assert.deepEqual(asked, {
    name: 'mytoken567',
    account: 'myclient1234',
    audience: { audiences: [] },
    scope: { kind: 'blank' },
    freshness: 'each-pass',
    targets: [target],
  });
  assert.deepEqual([accountAt.line, at.line], [1, 4]);
});

test('the client credentials example of the OSG document keeps its token endpoint, raw secret, audience and minimum', async () => {
  const config = await load(path, clientCredentials);
  assert.deepEqual(sentences(config), []);
  const found = account(config, 'myclient1234');
  assert.ok(found.grant === 'client_credentials');
  assert.deepEqual(found.issuer, { kind: 'token-endpoint', url: 'https://cilogon.org:443/oauth2/token' });
  assert.deepEqual(found.clientId, 'host:demo.opensciencegrid.org');
  assert.deepEqual(found.audienceStyle, 'audience');
  assert.ok(found.clientAuth.kind === 'client_secret_basic' && found.clientAuth.secret.kind === 'inline');
  assert.equal(found.clientAuth.encoding, 'raw');
  assert.equal(found.clientAuth.secret.secret.reveal(), 'redacted');
  const { fingerprint, at, ...asked } = wish(config, 'mytoken567');
  assert.deepEqual(asked, {
    name: 'mytoken567',
    account: 'myclient1234',
    audience: { audiences: ['https://topology.opensciencegrid.org'] },
    scope: { kind: 'absent' },
    minLifetime: 7_200_000,
    freshness: 'due-point',
    targets: [target],
  });
});

test('a secret in the file that everybody can read is warned of, and is in no printed form of the Config', async () => {
  const world = worldOf(
    { [path]: clientCredentials.replace('redacted', 'canary-secret') },
    { modes: { [path]: 0o644 } },
  );
  const config = await loadConfig(world, path);
  assert.deepEqual(sentences(config), [
    `${path}:4:1: warning: this file holds a client secret and everybody can read it (mode 0644); chmod 0640 ${path}`,
  ]);
  const { inspect } = await import('node:util');
  assert.equal(inspect(config, { depth: 20 }).includes('canary-secret'), false);
  assert.equal(JSON.stringify([...config.accounts]).includes('canary-secret'), false);
});

test('scopes have blanks between them: a comma is a part of a scope, as OSG’s renewer sends it, and is remarked on', async () => {
  const config = await load(path, `${clientCredentials}scope = storage.read:/a,b  c\n`);
  assert.deepEqual(wish(config, 'mytoken567').scope, { kind: 'scopes', scopes: ['storage.read:/a,b', 'c'] });
  assert.match(sentences(config).join('\n'), /warning: "scope" has a comma/);
});

test('the raw text of an audience is kept where it says more than the list', async () => {
  const config = await load(path, clientCredentials.replace('https://topology.opensciencegrid.org', 'x,y'));
  assert.deepEqual(wish(config, 'mytoken567').audience, { audiences: ['x', 'y'], raw: 'x,y' });
});

test('min_lifetime 0 asks for nothing: the due point decides', async () => {
  const config = await load(path, clientCredentials.replace('7200', '0'));
  const { minLifetime, freshness } = wish(config, 'mytoken567');
  assert.deepEqual({ minLifetime, freshness }, { minLifetime: undefined, freshness: 'due-point' });
});

test('[DEFAULT], references and the injected name are honoured; per cent signs in a secret are taken as they are', async () => {
  const config = await load(
    path,
    `[DEFAULT]
dir = /etc/osg/tokens
account = cc
[account cc]
token_request_url = https://a.example/token
client_id = %%id
client_secret = 50%off
[token t]
token_path = %(dir)s/%(name)s.token
`,
  );
  assert.equal(wish(config, 't').targets[0]?.id, 'file:/etc/osg/tokens/t.token');
  const found = account(config, 'cc');
  assert.ok(found.grant === 'client_credentials' && found.clientAuth.kind === 'client_secret_basic');
  assert.equal(found.clientId, '%id');
  assert.ok(found.clientAuth.secret.kind === 'inline');
  assert.equal(found.clientAuth.secret.secret.reveal(), '50%off');
  assert.equal(config.findings.length, 1);
  assert.match(sentences(config)[0]!, /:7:1: warning: "client_secret" has a single %/);
});

test('both kinds of keys in one account: OIDC wins, with a warning', async () => {
  const config = await load(path, oidc.replace('.pw\n', '.pw\nclient_id = x\nclient_secret = y\n'));
  assert.equal(account(config, 'myclient1234').grant, 'refresh_token');
  assert.deepEqual(sentences(config), [
    `${path}:2:1: warning: "password_file" makes this an OIDC account, so client_id, client_secret are not used`,
  ]);
});

test('ca_file and in_place, which are ours, are accepted', async () => {
  const config = await load(path, `${oidc}in_place = true\n`.replace('.pw\n', '.pw\nca_file = /ca.pem\n'));
  assert.deepEqual(sentences(config), []);
  assert.equal(account(config, 'myclient1234').caFile, '/ca.pem');
  assert.deepEqual(wish(config, 'mytoken567').targets, [{ ...target, inPlace: true }]);
});

/** What stops all of OSG's renewer, or crashes it, stops one section here. */
const bad: readonly (readonly [string, string, string])[] = [
  [
    'an account with nothing',
    '[account x]\n',
    '1: [account x]: there is neither "password_file" (OIDC) nor "token_request_url", "client_id" and "client_secret"',
  ],
  [
    'no client_id',
    '[account x]\ntoken_request_url = https://a\nclient_secret = s\n',
    '1: [account x]: "client_id" is missing',
  ],
  [
    'no client_secret',
    '[account x]\ntoken_request_url = https://a\nclient_id = s\n',
    '1: [account x]: "client_secret" is missing',
  ],
  [
    'no token_request_url',
    '[account x]\nclient_id = s\nclient_secret = s\n',
    '1: [account x]: "token_request_url" is missing',
  ],
  [
    'an empty client_secret',
    '[account x]\ntoken_request_url = https://a\nclient_id = s\nclient_secret =\n',
    '16: "client_secret" is empty',
  ],
  ['an empty password_file', '[account x]\npassword_file =\n', '16: "password_file" is empty'],
  [
    'plain http',
    '[account x]\ntoken_request_url = http://a\nclient_id = s\nclient_secret = s\n',
    '21: "token_request_url" is plain http, which is only for loopback; write https://',
  ],
  ['a relative path', '[account x]\npassword_file = x.pw\n', '17: "password_file" is not an absolute path'],
  [
    'a reference to nothing',
    '[account x]\npassword_file = %(no)s\n',
    '17: "password_file" refers to %(no)s, which is neither in [account x] nor in [DEFAULT]',
  ],
  [
    'a reference to itself',
    '[account x]\npassword_file = %(password_file)s\n',
    '17: "password_file" refers to itself, or to more than ten others in a row',
  ],
];

for (const [name, section, said] of bad) {
  test(`${name} leaves its account and tokens out and lets the others go on`, async () => {
    const config = await load(path, `${section}[token y]\naccount = x\ntoken_path = /y\n${oidc}`);
    assert.deepEqual([...config.wishes.keys()], ['mytoken567']);
    const found = sentences(config);
    assert.ok(
      found.some((sentence) => sentence.endsWith(`:${said}`)),
      found.join('\n'),
    );
  });
}

const badTokens: readonly (readonly [string, string, string])[] = [
  ['no account', 'token_path = /y\n', '7:1: [token y]: "account" is missing'],
  ['no token_path', 'account = myclient1234\n', '7:1: [token y]: "token_path" is missing'],
  [
    'a min_lifetime that is no number',
    'account = myclient1234\ntoken_path = /y\nmin_lifetime = 20m\n',
    '10:16: "min_lifetime" is not a whole number of seconds, such as 1200',
  ],
  [
    'an in_place that is neither',
    'account = myclient1234\ntoken_path = /y\nin_place = perhaps\n',
    '10:12: "in_place" is neither true nor false',
  ],
  [
    'a key twice',
    'account = myclient1234\ntoken_path = /y\naccount = z\n',
    '10:1: "account" stands twice in [token y], first at line 8',
  ],
];

for (const [name, lines, said] of badTokens) {
  test(`${name} leaves the token out and lets the others go on`, async () => {
    const config = await load(path, `${oidc}[token y]\n${lines}`);
    assert.deepEqual([...config.wishes.keys()], ['mytoken567']);
    assert.deepEqual(sentences(config), [`${path}:${said}`]);
  });
}

test('an account that no token uses is not looked at closely', async () => {
  const config = await load(path, `${oidc}[account spare]\nclient_id = x\n`);
  assert.equal(
    config.findings.every(({ severity }) => severity === 'warning'),
    true,
  );
  assert.deepEqual([...config.wishes.keys()], ['mytoken567']);
});

test('braces in names, which crash OSG’s renewer, are only letters', async () => {
  const config = await load(path, oidc.replace('[token mytoken567]', '[token {0}{x}]'));
  assert.deepEqual([...config.wishes.keys()], ['{0}{x}']);
});

test('the account file of oidc-agent is looked for where oidc-agent and OSG’s service keep it', async () => {
  const place = async (files: readonly string[], env: Record<string, string>, uid = 1000) => {
    const texts = Object.fromEntries(files.map((file) => [file, '']));
    const config = await loadConfig(worldOf({ ...texts, [path]: oidc }, { env, user: { uid, gid: uid } }), path);
    const found = account(config, 'myclient1234');
    return found.grant === 'refresh_token' ? found.oidcAgentFile?.path : undefined;
  };
  const spool = '/var/spool/osg-token-svc/.oidc-agent/myclient1234';
  assert.equal(await place([], { HOME: '/h', OIDC_CONFIG_DIR: '/o/' }), '/o/myclient1234');
  assert.equal(
    await place(['/h/.config/oidc-agent/myclient1234'], { HOME: '/h' }),
    '/h/.config/oidc-agent/myclient1234',
  );
  assert.equal(await place([], { HOME: '/var/spool/osg-token-svc' }), spool);
  assert.equal(await place([], { HOME: '/root' }, 0), spool);
  assert.equal(await place([spool], { HOME: '/h' }), spool);
  assert.equal(await place([], { HOME: '/h' }), '/h/.oidc-agent/myclient1234');
});

test('references that multiply are stopped before they fill the memory, whatever they end in', async () => {
  const tenTimes = (name: string) => `%(${name})s`.repeat(10);
  for (const leaf of ['xxxxxxxxxx', '']) {
    const levels = Array.from({ length: 8 }, (_, n) => `l${n} = ${tenTimes(`l${n + 1}`)}`);
    const config = await load(path, `[DEFAULT]\n${levels.join('\n')}\nl8 = ${leaf}\n${oidc}scope = %(l0)s\n`);
    const grown = config.findings.filter(
      ({ message }) => message === '"scope" grows beyond 1 MiB by what it refers to',
    );
    assert.equal(grown.length, 1);
  }
});
