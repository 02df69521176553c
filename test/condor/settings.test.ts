import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { knobsOfDump } from '../../src/condor/knob-dump.ts';
import { knobTable } from '../../src/condor/knob-table.ts';
import { type Knobs, knobsFrom } from '../../src/condor/knobs.ts';
import { settingsOf } from '../../src/condor/read-settings.ts';
import { trustsVault } from '../../src/condor/settings-vault.ts';
import { seconds } from '../../src/token/time.ts';

const pool = { hostname: 'ap.example.org', isRoot: true, user: 'root' };
/** As `condor_config_val` of HTCondor 23.9.6 printed it. */
const recorded = (name: string): Knobs =>
  knobsFrom(knobsOfDump(readFileSync(new URL(`dumps/${name}.txt`, import.meta.url), 'utf8')));
const settings = (knobs: Readonly<Record<string, string>>, where = pool) =>
  settingsOf(knobsFrom(Object.entries(knobs)), where);
const told = (knobs: Readonly<Record<string, string>>) =>
  settings({ SEC_CREDENTIAL_DIRECTORY_OAUTH: '/c', ...knobs }).findings.map(({ message }) => message);

test('a dump is read with values of several lines, also of knobs that name such a knob', () => {
  const knobs = recorded('ap');
  const expression = 'ifThenElse(Username == "alice",\n"condor:/READ",\n"")';
  assert.equal(knobs.get('LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR'), expression);
  assert.equal(knobs.get('Twice'), expression);
  assert.equal(knobs.get('xen_script'), undefined, 'set to nothing is not set');
  assert.equal(knobs.names.filter((name) => name.includes('"')).length, 0);
});

test('an access point of all kinds is understood from its dump', () => {
  const read = settingsOf(recorded('ap'), pool);
  assert.deepEqual(read.findings, []);
  assert.equal(read.directory, '/var/lib/condor/oauth_credentials');
  assert.equal(read.trustDirectory, true);
  assert.equal(read.refreshInJobs, seconds(300));
  assert.equal(read.state, '/var/lib/tokeep-credmon');
  assert.equal(read.networkUser, 'nobody');
  assert.deepEqual(read.localProviders, ['scitokens', 'chemistry']);
  assert.deepEqual(read.vault, {
    hosts: ['vault.example.org', 'vault2.example.org:8200'],
    minimum: seconds(1800),
    caFile: '/etc/ssl/certs/ca-certificates.crt',
  });
  assert.deepEqual(read.mytoken.servers, ['https://mytoken.data.kit.edu', 'https://mytoken.example.org:8443']);
  assert.equal(read.web.prefix, 'https://ap.example.org/credmon');
  assert.deepEqual(read.web.login, { kind: 'proxy', header: 'x-remote-user' });
  const kinds = ['scitokens', 'chemistry', 'robot', 'mytok', 'MyTok', 'box', 'egi', 'physicsdata', 'dteam'];
  assert.deepEqual(
    kinds.map((name) => read.kindOf(name)),
    ['local', 'local', 'client', 'oauth2', 'oauth2', 'oauth2', 'mytoken', undefined, 'vault'],
  );
});

test('what is set for one provider comes before what is set for all', () => {
  const read = settingsOf(recorded('ap'), pool);
  assert.deepEqual(read.local('chemistry'), {
    provider: 'chemistry',
    privateKey: '/etc/condor/chemistry-private.pem',
    publicKey: '/etc/condor/chemistry.pem',
    keyId: 'local',
    algorithm: 'RS256',
    issuer: 'https://ap.example.org/chemistry',
    lifetime: seconds(3600),
    audience: ['https://ce1.example.org:9619', 'https://ce2.example.org:9619'],
    version: 'wlcg:1.0',
    profile: 'wlcg',
    json: false,
    authz: {
      template: 'read:/user/{username} write:/user/{username}',
      expression: 'ifThenElse(Username == "alice",\n"condor:/READ",\n"")',
      groupTemplate: 'storage.read:/groups/{groupname}',
      groupMapfile: '/etc/condor/groups',
    },
  });
  const { issuer, algorithm, profile, json } = read.local('scitokens') ?? assert.fail();
  assert.deepEqual(
    { issuer, algorithm, profile, json },
    {
      issuer: 'https://ap.example.org/issuer',
      algorithm: 'ES256',
      profile: 'scitokens',
      json: true,
    },
  );
  assert.deepEqual(read.client('robot'), {
    provider: 'robot',
    clientId: 'ap-robot',
    clientSecret: { kind: 'file', path: '/etc/condor/.secrets/robot' },
    issuer: 'https://robots.example.org',
    audience: ['https://storage.example.org'],
    authz: { template: 'storage.read:/home/{username} wlcg' },
  });
});

test('an older pool without root: its owner, its directories, the older name of the list', () => {
  const read = settingsOf(recorded('rootless'), { hostname: 'x', isRoot: false, user: 'alice' });
  assert.deepEqual(read.findings, []);
  assert.equal(read.directory, '/home/alice/condor/credentials');
  assert.equal(read.state, '/home/alice/condor/tokeep-credmon');
  assert.equal(read.web.state, '/home/alice/condor/tokeep-web');
  assert.equal(read.web.user, 'alice');
  assert.equal(read.refreshInJobs, 0);
  assert.equal(read.local('scitokens')?.issuer, 'https://localhost');
  assert.deepEqual(read.local('scitokens')?.audience, []);
});

test('nothing set: what is missing is told, and only that', () => {
  const read = settings({});
  assert.deepEqual(
    read.findings.map(({ knob }) => knob),
    ['SEC_CREDENTIAL_DIRECTORY_OAUTH'],
  );
  assert.equal(read.kindOf('scitokens'), 'local');
  assert.equal(read.local('scitokens'), undefined, 'it has no audience, and nobody asked for it');
  assert.deepEqual(read.localProviders, []);
  assert.equal(read.vault.hosts, undefined);
  assert.equal(read.web.prefix, 'https://ap.example.org');
  assert.deepEqual(read.web.login, { kind: 'none' });
});

const kinds: readonly [
  string,
  Readonly<Record<string, string>>,
  [string, 'vault' | 'mytoken' | 'oauth2' | 'other' | undefined],
  string | undefined,
][] = [
  [
    'lists go in order: local first',
    { LOCAL_CREDMON_PROVIDER_NAMES: 'a', CLIENT_CREDMON_PROVIDER_NAMES: 'a' },
    ['a', undefined],
    'local',
  ],
  ['names are told apart by case', { LOCAL_CREDMON_PROVIDER_NAMES: 'a' }, ['A', undefined], undefined],
  [
    'oauth2 of the list before vault of the list',
    { OAUTH2_CREDMON_PROVIDER_NAMES: 'a', VAULT_CREDMON_PROVIDER_NAMES: 'a' },
    ['a', 'vault'],
    'oauth2',
  ],
  [
    'mytoken before both, so that condor_credd can be told of the name',
    { OAUTH2_CREDMON_PROVIDER_NAMES: 'a', MYTOKEN_CREDMON_PROVIDER_NAMES: 'a' },
    ['a', undefined],
    'mytoken',
  ],
  [
    "Pelican's is nobody's of ours",
    { PELICAN_CREDMON_PROVIDER_NAMES: 'a', SEC_CREDENTIAL_STORER: '/x' },
    ['a', 'oauth2'],
    undefined,
  ],
  ['a client makes it oauth2', { A_CLIENT_ID: 'c' }, ['a', undefined], 'oauth2'],
  [
    'but not where oauth2 has a list',
    { A_CLIENT_ID: 'c', OAUTH2_CREDMON_PROVIDER_NAMES: 'b' },
    ['a', undefined],
    undefined,
  ],
  [
    'no client and a storer make it vault',
    { SEC_CREDENTIAL_STORER: '/usr/bin/condor_vault_storer' },
    ['a', undefined],
    'vault',
  ],
  ['no client, no storer, no file: nobody', {}, ['a', undefined], undefined],
  ['what the file holds says it: a vault token', {}, ['a', 'vault'], 'vault'],
  ['a vault token of a name with a client', { A_CLIENT_ID: 'c' }, ['a', 'vault'], 'vault'],
  ['a mytoken', {}, ['a', 'mytoken'], 'mytoken'],
  ['a refresh token without a client is told, not left alone', {}, ['a', 'oauth2'], 'oauth2'],
  ['anything else is left alone', {}, ['a', 'other'], undefined],
  ['a vault list without * does not take the rest', { VAULT_CREDMON_PROVIDER_NAMES: 'b' }, ['a', 'vault'], undefined],
  ['a vault list with * takes it', { VAULT_CREDMON_PROVIDER_NAMES: 'b, *' }, ['a', 'vault'], 'vault'],
  ['scitokens is local by default', { SCITOKENS_CLIENT_ID: 'c' }, ['scitokens', undefined], 'local'],
  [
    'a login at an issuer of that name, as before 24, goes on',
    { SCITOKENS_CLIENT_ID: 'c' },
    ['scitokens', 'oauth2'],
    'oauth2',
  ],
  [
    'unless the list names it',
    { SCITOKENS_CLIENT_ID: 'c', LOCAL_CREDMON_PROVIDER_NAME: 'scitokens' },
    ['scitokens', 'oauth2'],
    'local',
  ],
];
for (const [what, knobs, [provider, top], kind] of kinds) {
  test(`whose a name is: ${what}`, () => assert.equal(settings(knobs).kindOf(provider, top), kind));
}

const findings: readonly [Readonly<Record<string, string>>, readonly string[]][] = [
  [{ SEC_CREDENTIAL_DIRECTORY_OAUTH: 'creds' }, ['SEC_CREDENTIAL_DIRECTORY_OAUTH is not an absolute path']],
  [{ TRUST_CREDENTIAL_DIRECTORY: 'maybe' }, ['TRUST_CREDENTIAL_DIRECTORY is neither true nor false; taken as false']],
  [
    { CREDMON_OAUTH_TOKEN_MINIMUM: '$(X)' },
    ['CREDMON_OAUTH_TOKEN_MINIMUM is not a number of seconds above 0; taken as 2400'],
  ],
  [{ A_CLIENT_ID: 'c' }, ['A has a client, but A_TOKEN_URL is not set']],
  [
    { A_CLIENT_ID: 'c', A_TOKEN_URL: 'http://issuer.example.org/' },
    ['A_TOKEN_URL is plain http, which is only for loopback; write https://'],
  ],
  [
    { OAUTH2_CREDMON_PROVIDER_NAMES: 'MyTok' },
    ['OAUTH2_CREDMON_PROVIDER_NAMES names MyTok, but MyTok_CLIENT_ID is not set'],
  ],
  [
    { LOCAL_CREDMON_PROVIDER_NAMES: 'a_b c', LOCAL_CREDMON_TOKEN_AUDIENCE: 'x' },
    [
      'LOCAL_CREDMON_PROVIDER_NAMES names "a_b"; without CREDMON_ALLOW_SPECIAL_CHAR_NAMES a name has letters, digits and - only',
    ],
  ],
  [
    {
      CREDMON_ALLOW_SPECIAL_CHAR_NAMES: 'True',
      LOCAL_CREDMON_PROVIDER_NAMES: '../../etc/x .. a_b',
      LOCAL_CREDMON_TOKEN_AUDIENCE: 'x',
    },
    [
      'LOCAL_CREDMON_PROVIDER_NAMES names "../../etc/x"; a name has letters, digits and - + = _ . only',
      'LOCAL_CREDMON_PROVIDER_NAMES names ".."; a name has letters, digits and - + = _ . only',
    ],
  ],
  [
    { LOCAL_CREDMON_PROVIDER_NAMES: 'a' },
    ['tokens of a need an audience (their version is scitoken:2.0), but LOCAL_CREDMON_TOKEN_AUDIENCE is not set'],
  ],
  [
    {
      LOCAL_CREDMON_PROVIDER_NAMES: 'a',
      LOCAL_CREDMON_TOKEN_VERSION: 'wlcg',
      LOCAL_CREDMON_PRIVATE_KEY_ALGORITHM: 'HS256',
    },
    ['LOCAL_CREDMON_PRIVATE_KEY_ALGORITHM is none of ES256, RS256'],
  ],
  [
    {
      LOCAL_CREDMON_PROVIDER_NAMES: 'a',
      LOCAL_CREDMON_TOKEN_VERSION: 'wlcg',
      LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'g',
    },
    ['a group is required, but LOCAL_CREDMON_a_AUTHZ_GROUP_MAPFILE does not say who is in it'],
  ],
  [
    { CLIENT_CREDMON_PROVIDER_NAMES: 'a' },
    [
      'a gets its tokens by client credentials, but CLIENT_CREDMON_a_CLIENT_ID is not set',
      'a gets its tokens by client credentials, but neither CLIENT_CREDMON_a_ISSUER nor CLIENT_CREDMON_a_TOKEN_URL is set',
    ],
  ],
  [
    {
      LOCAL_CREDMON_PROVIDER_NAMES: 'a',
      LOCAL_CREDMON_TOKEN_VERSION: 'wlcg',
      OAUTH2_CREDMON_PROVIDER_NAMES: 'a',
      A_CLIENT_ID: 'c',
      A_TOKEN_URL: 'https://i/',
    },
    [
      'OAUTH2_CREDMON_PROVIDER_NAMES names "a", which LOCAL_CREDMON_PROVIDER_NAMES has already; LOCAL_CREDMON_PROVIDER_NAMES counts',
    ],
  ],
  [
    { SEC_CREDENTIAL_STORER: '/usr/bin/condor_vault_storer' },
    ['TRUSTED_VAULT_HOSTS is not set: vault tokens of users are sent nowhere, since a user can store any address'],
  ],
  [
    { TOKEEP_MYTOKEN_SERVERS: 'mytoken.example.org' },
    ['TOKEEP_MYTOKEN_SERVERS names mytoken.example.org, which is not an https:// URL'],
  ],
  [
    { TOKEEP_CREDMON_NETWORK_USER: 'root' },
    ['TOKEEP_CREDMON_NETWORK_USER is root, who must not speak to the network; taken as nobody'],
  ],
  [
    { FULL_HOSTNAME: 'two words' },
    ['CREDMON_WEB_PREFIX is not set, and "two words" is no name of a host to take instead'],
  ],
  [
    { TOKEEP_WEB_CERTIFICATE: '/c' },
    ['TLS needs TOKEEP_WEB_CERTIFICATE and TOKEEP_WEB_KEY, but TOKEEP_WEB_KEY is not set'],
  ],
];
test('without a Vault nobody is asked for its hosts, also where our storer is set', () => {
  const trusted = /TRUSTED_VAULT_HOSTS/;
  const storer = (SEC_CREDENTIAL_STORER: string) => told({ SEC_CREDENTIAL_STORER }).join('\n');
  assert.doesNotMatch(storer('/usr/lib/tokeep/bin/tokeep-credential-storer'), trusted);
  assert.match(storer('/usr/bin/condor_credential_storer'), trusted);
  assert.match(told({ VAULT_CREDMON_PROVIDER_NAMES: 'cms' }).join('\n'), trusted);
});

test('a local issuer that nobody named is told of when something is set for it', () => {
  assert.deepEqual(told({ LOCAL_CREDMON_TOKEN_VERSION: 'scitoken:2.0', LOCAL_CREDMON_TOKEN_USE_JSON: 'true' }), []);
  assert.deepEqual(told({ LOCAL_CREDMON_ISSUER: 'https://ap.example.org' }), [
    'tokens of scitokens need an audience (their version is scitoken:2.0), but LOCAL_CREDMON_TOKEN_AUDIENCE is not set',
  ]);
  assert.deepEqual(settings({ LOCAL_CREDMON_TOKEN_AUDIENCE: 'x' }).localProviders, ['scitokens']);
});

test('a knob that makes no sense is named in a sentence', () => {
  for (const [knobs, sentences] of findings) assert.deepEqual(told(knobs), sentences);
});

test('a broken provider takes no other one down', () => {
  const read = settings({
    LOCAL_CREDMON_PROVIDER_NAMES: 'good bad',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'x',
    LOCAL_CREDMON_bad_ISSUER: 'not a url',
    GOOD2_CLIENT_ID: 'c',
    GOOD2_TOKEN_URL: 'https://i.example.org/token',
    BAD2_CLIENT_ID: 'c',
    BAD2_TOKEN_URL: 'ftp://i.example.org/token',
  });
  assert.equal(read.local('bad'), undefined);
  assert.equal(read.local('good')?.issuer, 'https://ap.example.org');
  assert.deepEqual(read.localProviders, ['good']);
  assert.equal(read.oauth2('bad2'), undefined);
  assert.deepEqual(read.oauth2('Good2'), { provider: 'Good2', clientId: 'c', tokenUrl: 'https://i.example.org/token' });
});

test('a login of the web page that is asked for and wrong lets nobody in', () => {
  const broken: readonly Readonly<Record<string, string>>[] = [
    { TOKEEP_WEB_LOGIN: 'ldap' },
    { TOKEEP_WEB_LOGIN: 'proxy' },
    { TOKEEP_WEB_LOGIN: 'oidc', TOKEEP_WEB_LOGIN_ISSUER: 'https://sso.example.org' },
    { TOKEEP_WEB_LOGIN: 'oidc', TOKEEP_WEB_LOGIN_ISSUER: 'sso', TOKEEP_WEB_LOGIN_CLIENT_ID: 'c' },
    {
      TOKEEP_WEB_LOGIN: 'oidc',
      TOKEEP_WEB_LOGIN_ISSUER: 'https://sso.example.org',
      TOKEEP_WEB_LOGIN_CLIENT_ID: 'c',
      TOKEEP_WEB_LOGIN_MAPFILE: 'map',
    },
  ];
  for (const knobs of broken) {
    const { web, findings } = settings({ SEC_CREDENTIAL_DIRECTORY_OAUTH: '/c', ...knobs });
    assert.deepEqual(web.login, { kind: 'closed' });
    assert.equal(findings[0]?.severity, 'error');
  }
});

test('BOX and its like need a client only', () => {
  const read = settings({ GDRIVE_CLIENT_ID: 'c', GDRIVE_CLIENT_SECRET_FILE: '/s' });
  assert.deepEqual(read.oauth2('gdrive'), {
    provider: 'gdrive',
    clientId: 'c',
    clientSecret: { kind: 'file', path: '/s' },
    tokenUrl: 'https://oauth2.googleapis.com/token',
    authorizationUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
  });
  assert.equal(settings({ constructor_CLIENT_ID: 'c' }).oauth2('constructor'), undefined);
});

test('a trusted vault host may have a port, as condor_credd wants it', () => {
  const trusted = (hosts: readonly string[] | undefined, url: string) => trustsVault(hosts, new URL(url));
  assert.equal(trusted(undefined, 'https://vault.example.org:8200/v1'), false);
  assert.equal(trusted(['vault.example.org'], 'https://Vault.example.org:8200/v1'), true);
  assert.equal(trusted(['vault.example.org:8200'], 'https://vault.example.org:8200/v1'), true);
  assert.equal(trusted(['vault.example.org:8200'], 'https://vault.example.org/v1'), false);
  assert.equal(trusted(['vault.example.org'], 'https://vault.example.org@evil.example/v1'), false);
  assert.equal(trusted(['example.org'], 'https://vault.example.org/v1'), false);
});

test('whatever the knobs hold, reading them does not fail', () => {
  const names = [
    'FULL_HOSTNAME',
    'SEC_CREDENTIAL_DIRECTORY_OAUTH',
    'LOCAL_CREDMON_PROVIDER_NAMES',
    'CLIENT_CREDMON_PROVIDER_NAMES',
    'LOCAL_CREDMON_TOKEN_AUDIENCE',
  ];
  const known = knobTable.flatMap(({ knobs }) =>
    knobs.map(({ name }) => name.replace('<SVC>', 'a').replace('[_<PROVIDER>]', '')),
  );
  const knob = fc.oneof(
    fc.constantFrom(...names, ...known),
    fc.string(),
    fc.string().map((text) => `${text}_CLIENT_ID`),
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl(),
    fc.constantFrom('a', '/a', '*', 'true', '1', '__proto__', 'constructor'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(knob, value)), fc.string(), (entries, provider) => {
      const read = settingsOf(knobsFrom(entries), pool);
      read.kindOf(provider);
      read.oauth2(provider);
      for (const { message, knob: named } of read.findings) assert.ok(named !== '' && message.includes(named));
      assert.ok(read.directory.startsWith('/') && URL.canParse(read.web.prefix));
    }),
    { numRuns: 1500 },
  );
});

test('whatever a dump holds, it is read', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('A = b', 'A @=end', '@end', ' # at: x', '   y', ''))),
      (lines) => void knobsOfDump(lines.join('\n')),
    ),
  );
});
