import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, sentences } from './in-memory.ts';

const account = 'accounts:\n  a: { grant: refresh_token, issuer: https://a.example/ }\n';
const token = (lines: string) => `${account}tokens:\n  t:\n    account: a\n${lines}`;
const client = (lines: string) =>
  `accounts:\n  a:\n    grant: client_credentials\n    issuer: https://a.example/\n    client_id: x\n${lines}`;

/** What somebody wrote, and all that is said about it. */
const yaml: readonly (readonly [name: string, text: string, ...said: readonly string[]])[] = [
  ['a section', 'acounts: {}\n', '1:1: unknown key "acounts" (did you mean "accounts"?)'],
  ['a section nobody could have meant', 'wibble: 1\n', '1:1: unknown key "wibble"'],
  [
    'a key of a token',
    token('    min_lifetme: 20m\n'),
    '6:5: unknown key "min_lifetme" (did you mean "min_lifetime"?)',
  ],
  [
    'a key with a dash',
    token('    min-lifetime: 20m\n'),
    '6:5: unknown key "min-lifetime" (did you mean "min_lifetime"?)',
  ],
  ['a key in capitals', token('    Scope: a\n'), '6:5: unknown key "Scope" (did you mean "scope"?)'],
  ['swapped letters', token('    adueince: a\n'), '6:5: unknown key "adueince" (did you mean "audience"?)'],
  [
    'a key of a target',
    token('    deliver: [{ file: /t, onwer: me }]\n'),
    '6:27: unknown key "onwer" (did you mean "owner"?)',
  ],
  ['the kind of a target', token('    deliver:\n      - fiel: /t\n'), '7:9: unknown key "fiel" (did you mean "file"?)'],
  ['a key of another target', token('    deliver: [{ file: /t, hands: stdin }]\n'), '6:27: unknown key "hands"'],
  [
    'an empty target',
    token('    deliver: [{}]\n'),
    '6:15: "deliver[0]" must be a mapping with one of: file, discovery, exec, htcondor',
  ],
  [
    'a target that is a path',
    token('    deliver: [/t]\n'),
    '6:15: "deliver[0]" must be a mapping with one of: file, discovery, exec, htcondor',
  ],
  ['targets that are no list', token('    deliver: { file: /t }\n'), '6:14: "deliver" must be a list'],
  [
    'the name of an account',
    token('').replace('account: a', 'account: b'),
    '5:14: there is no account "b" (did you mean "a"?)',
  ],
  [
    'a grant',
    'accounts:\n  a:\n    grant: refresh_tokn\n',
    '3:12: "grant" is "refresh_tokn", but must be one of client_credentials, refresh_token, oidc_agent, mytoken, vault, token_exchange, signing_key, idtoken (did you mean "refresh_token"?)',
  ],
  [
    'no grant',
    'accounts:\n  a: {}\n',
    '2:3: "grant" is missing (one of client_credentials, refresh_token, oidc_agent, mytoken, vault, token_exchange, signing_key, idtoken)',
  ],
  ['an account that is a text', 'accounts:\n  a: b\n', '2:6: "accounts.a" must be a mapping, not a text'],
  ['no issuer', 'accounts:\n  a: { grant: refresh_token }\n', '2:3: "issuer" is missing'],
  ['no account', 'tokens:\n  t: {}\n', '2:3: "account" is missing'],
  [
    'plain http',
    'accounts:\n  a: { grant: refresh_token, issuer: http://a.example }\n',
    '2:38: "issuer" is plain http, which is only for loopback; write https://',
  ],
  [
    'an issuer with a query',
    'accounts:\n  a: { grant: refresh_token, issuer: "https://a.example/?x" }\n',
    '2:38: "issuer" has a query or fragment, which an issuer cannot have',
  ],
  [
    'an issuer that is a word',
    'accounts:\n  a: { grant: refresh_token, issuer: wlcg }\n',
    '2:38: "issuer" is not a URL',
  ],
  [
    'a secret in the open',
    client('    client_secret: hunter2\n'),
    '6:20: "client_secret" must say where the secret lies: { file: PATH }, { credential: NAME } or { command: [PROGRAM, …] }; it is never written here itself',
  ],
  ['a key of a secret', client('    client_secret: { flie: /s }\n'), '6:22: unknown key "flie" (did you mean "file"?)'],
  ['a relative path', client('    client_secret: { file: s }\n'), '6:28: "client_secret.file" is not an absolute path'],
  [
    'a command with no absolute path',
    client('    client_secret: { command: [pass, show] }\n'),
    '6:32: "client_secret.command[0]" must be a program with its absolute path',
  ],
  [
    'a command that is a text',
    client('    client_secret: { command: /bin/pass }\n'),
    '6:31: "client_secret.command" must be a list: the program with its absolute path, then its arguments',
  ],
  ['no client secret', client(''), '2:3: "client_secret" is missing (or "private_key")'],
  ['a key and no method', client('    client_auth: private_key_jwt\n'), '2:3: "private_key" is missing'],
  [
    'a method and the wrong secret',
    client('    client_auth: private_key_jwt\n    client_secret: { file: /s }\n'),
    '7:5: "client_secret" does not go with client authentication "private_key_jwt"',
  ],
  [
    'a method',
    client('    client_auth: client_secret_basc\n'),
    '6:18: "client_auth" is "client_secret_basc", but must be one of client_secret_basic, client_secret_post, private_key_jwt, none (did you mean "client_secret_basic"?)',
  ],
  [
    'a password and no file',
    `accounts:\n  a: { grant: refresh_token, issuer: https://a.example, password: { file: /p } }\n`,
    '2:57: "password" is for "oidc_agent_file", which is missing',
  ],
  [
    'a mode without quotes',
    token('    deliver: [{ file: /t, mode: 0400 }]\n'),
    '6:33: "deliver[0].mode" must be in quotes, such as "0400": without them YAML reads another number',
  ],
  [
    'a mode for everybody',
    token('    deliver: [{ file: /t, mode: "0644" }]\n'),
    '6:33: "deliver[0].mode" would let everybody read the token; the last digit must be 0',
  ],
  [
    'a mode in letters',
    token('    deliver: [{ file: /t, mode: u=rw }]\n'),
    '6:33: "deliver[0].mode" is not a file mode such as "0400"',
  ],
  [
    'a set-id mode',
    token('    deliver: [{ file: /t, mode: "4600" }]\n'),
    '6:33: "deliver[0].mode" has set-id or sticky bits, which a token file cannot have',
  ],
  [
    'a length of time',
    token('    min_lifetime: 20min\n'),
    '6:19: "min_lifetime" is not a length of time such as 90s, 20m, 1h, 400d, or a number of seconds',
  ],
  [
    'a length of time that is a list',
    token('    min_lifetime: [20m]\n'),
    '6:19: "min_lifetime" is not a length of time such as 90s, 20m, 1h, 400d, or a number of seconds',
  ],
  [
    'two scopes in one',
    token('    scope: ["a b"]\n'),
    '6:12: "scope" holds "a b", which is not one scope (RFC 6749 section 3.3)',
  ],
  ['no scopes', token('    scope: []\n'), '6:12: "scope" is an empty list'],
  ['a number for a scope', token('    scope: 5\n'), '6:12: "scope" must be a text or a list'],
  [
    'the same target twice',
    token('    deliver: [{ file: /t }, { file: /./t }]\n'),
    '6:29: "deliver[1]" is the same target as one before it',
  ],
  ['a key twice', token('    scope: a\n    scope: b\n'), '7:5: "scope" stands here twice'],
  [
    'a section twice',
    `${account}  a: { grant: refresh_token, issuer: https://b.example/ }\n`,
    '3:3: "a" stands here twice',
  ],
  [
    'a name with a blank',
    `${account}tokens:\n  a b: { account: a }\n`,
    '4:3: the name "a b" has a blank, a control character or a "/", which a name cannot have',
  ],
  [
    'a name like an option',
    `${account}tokens:\n  -a: { account: a }\n`,
    '4:3: the name "-a" starts with "-", which a command would take for an option',
  ],
  ['a list for a mapping', 'accounts: []\n', '1:11: "accounts" must be a mapping of names to sections'],
  [
    'no mapping at all',
    'just a text\n',
    '1:1: the configuration must be a mapping with sections such as "accounts:" and "tokens:"',
  ],
  ['an empty file', '', '1:1: warning: the configuration is empty, so there is nothing to keep fresh'],
  ['a limit', 'limits: { concurency: 3 }\n', '1:11: unknown key "concurency" (did you mean "concurrency"?)'],
  ['a limit of none', 'limits: { concurrency: 0 }\n', '1:24: "limits.concurrency" must be at least 1'],
  [
    'a limit of half',
    'limits: { concurrency: 1.5 }\n',
    '1:24: "limits.concurrency" must be a whole number, not a number',
  ],
  ['an issuer to limit', 'issuers:\n  a.example: { concurrency: 2 }\n', '2:3: "a.example" is not a URL'],
  [
    'a store',
    'store: { kind: postgre }\n',
    '1:16: "store.kind" is "postgre", but must be one of sqlite, postgres (did you mean "postgres"?)',
  ],
  ['a way to tell', 'notify:\n  ops: { mial: {} }\n', '2:10: unknown key "mial" (did you mean "mail"?)'],
  [
    'a user and no password',
    'notify:\n  ops: { mail: { to: a@b, from: c@d, user: u } }\n',
    '2:10: "password" is missing',
  ],
  ['where metrics are', 'metrics: { listen: 9118 }\n', '1:20: "metrics.listen" must be a text, not a number'],
  ['a tab', 'accounts:\n\ta: {}\n', '2:1: not YAML: tabs are not allowed as indentation'],
  ['an alias', 'accounts: *nowhere\n', '1:11: there is no anchor "&nowhere" before this'],
  [
    'a bracket',
    'accounts: {\n',
    '2:1: not YAML: flow map in block collection must be sufficiently indented and end with a }',
  ],
];

for (const [name, text, ...said] of yaml) {
  test(`scenario 36: ${name} is answered with its place: ${said[0]}`, async () => {
    const config = await load('/c.yaml', text);
    assert.deepEqual(
      sentences(config).slice(0, said.length),
      said.map((sentence) => `/c.yaml:${sentence}`),
    );
  });
}

const good = '[account a]\npassword_file = /a.pw\n';
const ini: readonly (readonly [name: string, text: string, ...said: readonly string[]])[] = [
  [
    'a key of a token',
    `${good}[token t]\naccount = a\ntoken_path = /t\nmin_lifetme = 3\n`,
    '6:1: warning: unknown key "min_lifetme" is not looked at (did you mean "min_lifetime"?)',
  ],
  [
    'the kind of a section',
    `${good}[tokn t]\n`,
    '3:1: [tokn t] is neither [account NAME] nor [token NAME] (did you mean "token"?)',
  ],
  ['a section without a name', '[token]\n', '1:1: [token] is neither [account NAME] nor [token NAME]'],
  ['a section with three words', '[token a b]\n', '1:1: [token a b] is neither [account NAME] nor [token NAME]'],
  [
    'the name of an account',
    `${good}[token t]\naccount = b\ntoken_path = /t\n`,
    '4:11: there is no account "b" (did you mean "a"?)',
  ],
  ['no account', `${good}[token t]\ntoken_path = /t\n`, '3:1: [token t]: "account" is missing'],
];

for (const [name, text, ...said] of ini) {
  test(`scenario 36: ${name} of an ini is answered with its place: ${said[0]}`, async () => {
    const config = await load('/c.ini', text);
    assert.deepEqual(
      sentences(config).slice(0, said.length),
      said.map((sentence) => `/c.ini:${sentence}`),
    );
  });
}

test('scenario 36: all errors are told at once, and a bad section does not stop the good ones', async () => {
  const config = await load(
    '/c.yaml',
    `${account}  b: { grant: refresh_tokn }\ntokens:\n  good: { account: a }\n  bad: { acount: a }\n  of-bad: { account: b }\n`,
  );
  assert.deepEqual([...config.accounts.keys()], ['a']);
  assert.deepEqual([...config.wishes.keys()], ['good']);
  assert.deepEqual(
    config.findings.map(({ at, section }) => [at.line, section]),
    [
      [3, 'accounts.b'],
      [6, 'tokens.bad'],
      [6, 'tokens.bad'],
      [7, 'tokens.of-bad'],
    ],
  );
});

test('aliases of aliases of aliases, and brackets without end, are refused rather than followed', async () => {
  const level = (name: string, below: string) =>
    `${name}: &${name} [${Array.from({ length: 50 }, () => below).join(', ')}]\n`;
  const laughs = `${level('a', '1')}${level('b', '*a')}${level('c', '*b')}${level('d', '*c')}`;
  assert.match(sentences(await load('/c.yaml', laughs))[0]!, /aliases or brackets grow too large$/);
  assert.match(sentences(await load('/c.yaml', '['.repeat(3000)))[0]!, /not YAML/);
});

test('a secret that stands in the open is not repeated in what is said about it', async () => {
  const config = await load('/c.yaml', client('    client_secret: hunter2\n'));
  assert.equal(
    sentences(config).some((sentence) => sentence.includes('hunter2')),
    false,
  );
});

test('a wrong store, state or spool stops everything, since refresh tokens could be lost', async () => {
  for (const wrong of ['store: { kind: x }', 'state: here', 'spool: there']) {
    const config = await load('/c.yaml', `${token('')}${wrong}\n`);
    assert.equal(config.wishes.size, 0, wrong);
    assert.equal(config.accounts.size, 0, wrong);
  }
});

test('what the YAML library and numbers without end would say is said in our words', async () => {
  const account = 'accounts: { a: { grant: oidc_agent } }\n';
  assert.deepEqual(sentences(await load('/c.yaml', `${account}---\n${account}`)), [
    '/c.yaml:2:1: a second document begins here; all of the configuration stands in one, so take out this "---"',
  ]);
  assert.deepEqual(sentences(await load('/c.yaml', `${account}limits: { per_second: .inf }\n`)), [
    '/c.yaml:2:23: "limits.per_second" must be a number, not Infinity',
  ]);
});

test('two commands are one target only if all their arguments are the same', async () => {
  const token = (second: string) => `accounts: { a: { grant: oidc_agent } }
tokens: { t: { account: a, deliver: [{ exec: [/bin/a, "b c"] }, { exec: ${second} }] } }
`;
  assert.deepEqual(sentences(await load('/c.yaml', token('[/bin/a, b, c]'))), []);
  assert.deepEqual(sentences(await load('/c.yaml', token('[/bin/a, "b c"]'))), [
    '/c.yaml:2:65: "deliver[1]" is the same target as one before it',
  ]);
});

test('brackets and levels without end are one finding, closed or not', async () => {
  const large = '/c.yaml:1:1: not YAML that can be read: its aliases or brackets grow too large';
  const deep = 20_000;
  for (const text of [
    `a: ${'['.repeat(deep)}${']'.repeat(deep)}\n`,
    '['.repeat(deep),
    '- '.repeat(deep),
    '{a: '.repeat(deep),
    Array.from({ length: 5000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
  ]) {
    assert.deepEqual(sentences(await load('/c.yaml', text)), [large]);
  }
  assert.equal(sentences(await load('/c.yaml', 'a: [[[[')).length, 1);
});
