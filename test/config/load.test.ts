import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findConfig, loadConfig, osgPlace } from '../../src/config/load.ts';
import type { Fault } from '../../src/fault/fault.ts';
import type { AccountName, WishName } from '../../src/token/names.ts';
import { load, sentences, worldOf } from './in-memory.ts';

const osg = '/etc/osg/token-renewer/config.ini';
const own = '/home/robot/.config/tokeep/config.yaml';

test('--config is stronger than TOKEEP_CONFIG, which is stronger than every default place', async () => {
  const texts = { '/a.yaml': '', '/b.yaml': '', [own]: '', [osg]: '', '/old.ini': '' };
  const env = { HOME: '/home/robot', TOKEEP_CONFIG: '/b.yaml', OSG_TOKEN_RENEWER_CONFIG_PATH: '/old.ini' };
  const world = worldOf(texts, { env });
  assert.deepEqual(await findConfig(world, { config: '/a.yaml' }), { path: '/a.yaml', format: 'yaml' });
  assert.deepEqual(await findConfig(world), { path: '/b.yaml', format: 'yaml' });
  const without = worldOf(texts, { env: { ...env, TOKEEP_CONFIG: undefined } });
  assert.equal((await findConfig(without)).path, own);
  assert.deepEqual(
    await findConfig(worldOf({ '/old.ini': '', [osg]: '' }, { env: { ...env, TOKEEP_CONFIG: undefined } })),
    {
      path: '/old.ini',
      format: 'ini',
    },
  );
  assert.deepEqual(await findConfig(worldOf({ [osg]: '' })), { path: osg, format: 'ini' });
});

test('what OSG’s own variable names is OSG’s format, whatever it is called', async () => {
  const env = { HOME: '/home/robot', OSG_TOKEN_RENEWER_CONFIG_PATH: '/renewer.conf' };
  const world = worldOf({ '/renewer.conf': '[account a]\npassword_file = /a.pw\n' }, { env });
  const place = await findConfig(world);
  assert.deepEqual(place, { path: '/renewer.conf', format: 'ini' });
  assert.deepEqual([...(await loadConfig(world, place.path)).accounts.keys()], ['a']);
});

test('root looks in /etc/tokeep, a user in XDG_CONFIG_HOME', async () => {
  const root = worldOf({ '/etc/tokeep/config.yaml': '' }, { user: { uid: 0, gid: 0 } });
  assert.equal((await findConfig(root)).path, '/etc/tokeep/config.yaml');
  const user = worldOf({ '/x/tokeep/config.yaml': '' }, { env: { HOME: '/home/robot', XDG_CONFIG_HOME: '/x' } });
  assert.equal((await findConfig(user)).path, '/x/tokeep/config.yaml');
});

test('no configuration is a fault that names every place looked at', async () => {
  const world = worldOf({}, { env: { HOME: '/home/robot', OSG_TOKEN_RENEWER_CONFIG_PATH: '/old.ini' } });
  await assert.rejects(findConfig(world), (fault: Fault) => {
    assert.equal(fault.code, 'config-missing');
    for (const place of [own, '/old.ini']) assert.ok(fault.message.includes(place), place);
    return true;
  });
  await assert.rejects(
    findConfig(worldOf({ [osg]: '' }), { config: '/no.yaml' }),
    /no configuration at \/no.yaml, which --config names/,
  );
});

test('OSG’s variable takes the place of OSG’s own file: another file is not read instead of the one it names', async () => {
  const env = { HOME: '/home/robot', OSG_TOKEN_RENEWER_CONFIG_PATH: '/old.ini' };
  await assert.rejects(findConfig(worldOf({ [osg]: '' }, { env })), { code: 'config-missing' });
});

test('a configuration that is missing where the old command looks is not blamed on --config', async () => {
  const env = { HOME: '/home/robot', OSG_TOKEN_RENEWER_CONFIG_PATH: '/renewer.conf' };
  const named = worldOf({}, { env });
  await assert.rejects(findConfig(named, { config: osgPlace(named) }), /which OSG_TOKEN_RENEWER_CONFIG_PATH names$/);
  const usual = worldOf({});
  await assert.rejects(findConfig(usual, { config: osgPlace(usual) }), /where OSG's token renewer has it$/);
});

test('a file that went away is a finding, not a fault', async () => {
  const config = await loadConfig(worldOf({}), '/gone.yaml');
  assert.deepEqual(sentences(config), ['/gone.yaml:1:1: there is no such file']);
  assert.equal(config.findings[0]?.code, 'config-missing');
});

test('the example of the documentation is read whole', async () => {
  const config = await load(
    '/c.yaml',
    `
accounts:
  atlas-pilot:
    issuer: https://atlas-auth.cern.ch/
    grant: client_credentials
    client_id: 7dee38a3-6ab8-4fe2-9e4c-58039c21d017
    client_secret: { file: /etc/tokeep/secrets/atlas-pilot }
tokens:
  monitoring:
    account: atlas-pilot
    scope: [storage.read:/, storage.stage:/]
    audience: https://wlcg.cern.ch/jwt/v1/any
    min_lifetime: 20m
    lifetime: 3600
    subject: robot
    deliver:
      - { file: /run/tokeep//monitoring.token, owner: monitor, group: ops, mode: "0440" }
      - { discovery: alice, purpose: x }
      - { exec: [/usr/bin/put, --now], hands: file, timeout: 1m30s }
`,
  );
  assert.deepEqual(sentences(config), []);
  assert.deepEqual(config.accounts.get('atlas-pilot' as AccountName), {
    name: 'atlas-pilot',
    at: { file: '/c.yaml', line: 3, column: 3 },
    grant: 'client_credentials',
    issuer: { kind: 'discovered', issuer: 'https://atlas-auth.cern.ch/' },
    clientId: '7dee38a3-6ab8-4fe2-9e4c-58039c21d017',
    clientAuth: {
      kind: 'client_secret_basic',
      secret: { kind: 'file', path: '/etc/tokeep/secrets/atlas-pilot' },
      encoding: 'form',
    },
    audienceStyle: 'auto',
    timeout: 30_000,
    fingerprint: config.accounts.get('atlas-pilot' as AccountName)?.fingerprint,
  });
  const { at, fingerprint, ...wish } = config.wishes.get('monitoring' as WishName)!;
  assert.deepEqual(wish, {
    name: 'monitoring',
    account: 'atlas-pilot',
    audience: { audiences: ['https://wlcg.cern.ch/jwt/v1/any'] },
    scope: { kind: 'scopes', scopes: ['storage.read:/', 'storage.stage:/'] },
    lifetime: 3_600_000,
    subject: 'robot',
    minLifetime: 1_200_000,
    freshness: 'due-point',
    targets: [
      {
        kind: 'file',
        id: 'file:/run/tokeep/monitoring.token',
        path: '/run/tokeep/monitoring.token',
        owner: 'monitor',
        group: 'ops',
        mode: 0o440,
        existing: 'set',
        inPlace: false,
      },
      { kind: 'discovery', id: 'discovery:alice:x', user: 'alice', purpose: 'x' },
      { kind: 'exec', id: 'exec:/usr/bin/put --now', argv: ['/usr/bin/put', '--now'], hands: 'file', timeout: 90_000 },
    ],
  });
});

test('every grant is read, each with its own keys', async () => {
  const config = await load(
    '/c.yaml',
    `
accounts:
  post: { grant: client_credentials, issuer: https://a, client_id: x, client_auth: client_secret_post, client_secret: { credential: s } }
  jwt: { grant: client_credentials, token_endpoint: https://a/t, client_id: x, private_key: { command: [/bin/k] }, key_id: k, algorithm: ES256 }
  login: { grant: refresh_token, issuer: https://a, refresh_lifetime: 400d, ca_file: /ca.pem }
  public: { grant: refresh_token, issuer: https://a, client_id: x }
  adopted: { grant: refresh_token, oidc_agent_file: /f, password: { file: /pw } }
  agent: { grant: oidc_agent, socket: /s }
  my: { grant: mytoken, server: https://m, mytoken: { file: /m } }
  vault: { grant: vault, server: https://v:8200, secret_path: /v1/secret/oauth/creds/demo/a:default, vault_token: { file: /v } }
  swap: { grant: token_exchange, issuer: https://a, client_id: x, subject: t, audience_style: resource }
  local: { grant: refresh_token, issuer: "http://127.0.0.1:8080" }
tokens:
  t: { account: login }
`,
  );
  assert.deepEqual(sentences(config), []);
  const part = (name: string, ...keys: string[]) =>
    keys.map((key) => (config.accounts.get(name as AccountName) as unknown as Record<string, unknown>)[key]);
  assert.deepEqual(part('post', 'clientAuth'), [
    { kind: 'client_secret_post', secret: { kind: 'credential', name: 's' } },
  ]);
  assert.deepEqual(part('jwt', 'clientAuth', 'issuer'), [
    { kind: 'private_key_jwt', key: { kind: 'command', argv: ['/bin/k'] }, keyId: 'k', algorithm: 'ES256' },
    { kind: 'token-endpoint', url: 'https://a/t' },
  ]);
  assert.deepEqual(part('login', 'client', 'refreshLifetime', 'caFile'), [undefined, 400 * 86_400_000, '/ca.pem']);
  assert.deepEqual(part('public', 'client'), [{ clientId: 'x', clientAuth: { kind: 'none' } }]);
  assert.deepEqual(part('adopted', 'issuer', 'oidcAgentFile'), [
    { kind: 'of-credential' },
    { path: '/f', password: { kind: 'file', path: '/pw' } },
  ]);
  assert.deepEqual(part('agent', 'shortname', 'socket'), ['agent', '/s']);
  assert.deepEqual(part('my', 'server', 'mytoken'), ['https://m', { kind: 'file', path: '/m' }]);
  assert.deepEqual(part('vault', 'secretPath'), ['secret/oauth/creds/demo/a:default']);
  assert.deepEqual(part('swap', 'subject', 'audienceStyle'), ['t', 'resource']);
});

test('settings are read, and limits of one issuer stand on the common ones', async () => {
  const config = await load(
    '/c.yaml',
    `
notify:
  ops: { mail: { to: ops@example.org, from: tokeep@example.org, host: smtp.example.org, user: u, password: { file: /p } }, only: [ce-*] }
  chat: { webhook: { url: https://chat.example.org/hook, form: slack } }
  page: { command: [/usr/bin/page], timeout: 5s }
limits: { concurrency: 2 }
issuers: { https://a.example/: { per_second: 5 } }
store: { kind: postgres, url: { file: /url }, ca_file: /ca }
state: /var/lib/t
spool: /srv/spool
metrics: { listen: 127.0.0.1:9118, textfile: /var/lib/node_exporter/t.prom }
`,
  );
  assert.deepEqual(sentences(config), []);
  assert.deepEqual(config.notify, [
    {
      name: 'ops',
      channel: {
        kind: 'mail',
        to: ['ops@example.org'],
        from: 'tokeep@example.org',
        host: 'smtp.example.org',
        port: 25,
        tls: 'starttls',
        login: { user: 'u', password: { kind: 'file', path: '/p' } },
      },
      only: ['ce-*'],
    },
    { name: 'chat', channel: { kind: 'webhook', url: 'https://chat.example.org/hook', form: 'slack' }, only: [] },
    { name: 'page', channel: { kind: 'command', argv: ['/usr/bin/page'], timeout: 5000 }, only: [] },
  ]);
  assert.deepEqual(config.limits, { concurrency: 2, perSecond: 100 });
  assert.deepEqual(config.issuerLimits, new Map([['https://a.example/', { concurrency: 2, perSecond: 5 }]]));
  assert.deepEqual(config.store, { kind: 'postgres', url: { kind: 'file', path: '/url' }, caFile: '/ca' });
  assert.deepEqual([config.stateDir, config.spool], ['/var/lib/t', '/srv/spool']);
  assert.deepEqual(config.metrics, { listen: '127.0.0.1:9118', textfile: '/var/lib/node_exporter/t.prom' });
});

test('a scope of blanks asks with a blank, no scope does not ask, and lists may be written as one text', async () => {
  const config = await load(
    '/c.yaml',
    `accounts: { a: { grant: refresh_token, issuer: https://a } }
tokens:
  blank: { account: a, scope: " " }
  absent: { account: a }
  text: { account: a, scope: "r, w x", audience: "b c" }
`,
  );
  const wish = (name: string) => config.wishes.get(name as WishName)!;
  assert.deepEqual(wish('blank').scope, { kind: 'blank' });
  assert.deepEqual(wish('absent').scope, { kind: 'absent' });
  assert.deepEqual(wish('text').scope, { kind: 'scopes', scopes: ['r', 'w', 'x'] });
  assert.deepEqual(wish('text').audience, { audiences: ['b', 'c'] });
});

test('two tokens for one file, and exchanges that go in a circle, are left out with their reason', async () => {
  const config = await load(
    '/c.yaml',
    `accounts:
  a: { grant: refresh_token, issuer: https://a }
  x: { grant: token_exchange, issuer: https://a, client_id: c, subject: ty }
  y: { grant: token_exchange, issuer: https://a, client_id: c, subject: tx }
  z: { grant: token_exchange, issuer: https://a, client_id: c, subject: nowhere }
tokens:
  one: { account: a, deliver: [{ file: /t/a }] }
  two: { account: a, deliver: [{ file: /t/../t/a }] }
  tx: { account: x }
  ty: { account: y }
  tz: { account: z }
`,
  );
  assert.deepEqual([...config.wishes.keys()], ['one']);
  assert.deepEqual([...config.accounts.keys()], ['a']);
  const said = sentences(config);
  assert.ok(
    said.includes('/c.yaml:8:3: token "two" is delivered to file /t/a, and so is token "one"'),
    said.join('\n'),
  );
  assert.ok(
    said.some((sentence) => sentence.includes('account "x" exchanges a token that comes from itself (x → y → x)')),
  );
  assert.ok(said.some((sentence) => sentence.includes('there is no token "nowhere"')));
});

test('who signs itself has no default groups to give, and the token that asks for them is left out', async () => {
  const config = await load(
    '/c.yaml',
    `accounts:
  vo: { grant: signing_key, issuer: https://a, keys: /keys }
  else: { grant: refresh_token, issuer: https://a }
tokens:
  plain: { account: vo, subject: s, audience: a, scope: [compute.read, wlcg.groups] }
  named: { account: vo, subject: s, audience: a, scope: ['wlcg.groups:/vo'] }
  asked: { account: else, scope: wlcg.groups }
`,
  );
  assert.deepEqual([...config.wishes.keys()], ['named', 'asked']);
  const why = 'token "plain" asks for the default groups ("wlcg.groups"), and account "vo" signs itself, and has none';
  assert.deepEqual(sentences(config), [`/c.yaml:5:21: ${why}: name them, as in wlcg.groups:/vo`]);
});

test('the fingerprint of a wish changes with what is asked for and not with where it goes', async () => {
  const print = async (more: string) =>
    (
      await load(
        '/c.yaml',
        `accounts: { a: { grant: refresh_token, issuer: https://a } }\ntokens: { t: { account: a, ${more} } }\n`,
      )
    ).wishes.get('t' as WishName)?.fingerprint;
  const base = await print('scope: r');
  assert.equal(await print('scope: [r], deliver: [{ file: /t }], min_lifetime: 1h'), base);
  for (const other of ['scope: w', 'scope: r, audience: x', 'scope: r, subject: x', 'scope: r, lifetime: 1h']) {
    assert.notEqual(await print(other), base, other);
  }
});

test('a configuration that everybody can write is warned of', async () => {
  const config = await loadConfig(worldOf({ '/c.yaml': 'accounts: {}' }, { modes: { '/c.yaml': 0o666 } }), '/c.yaml');
  assert.deepEqual(sentences(config), ['/c.yaml:1:1: warning: everybody can write this file; chmod o-w /c.yaml']);
});

const words = fc.constantFrom(
  'accounts',
  'tokens',
  'grant',
  'refresh_token',
  ': ',
  '\n',
  '  ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  '%',
  '%(x)s',
  '=',
  '[account a]',
  '[token t]',
  '[DEFAULT]',
  '&a ',
  '*a',
  '!!x',
  '<<',
  '__proto__',
  'constructor',
  'null',
  '0',
  'deliver',
  'file',
  '/x',
  'account = a',
  'token_path=/t',
  '\0',
  '\uFEFF',
);
const garbage = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
  fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
  fc
    .jsonValue()
    .map((value) => JSON.stringify({ accounts: { a: value }, tokens: { t: value }, notify: value, store: value })),
);

for (const path of ['/c.yaml', '/c.ini']) {
  test(`whatever stands in ${path}, reading it gives a Config and never throws`, async () => {
    await fc.assert(
      fc.asyncProperty(garbage, async (text) => {
        const config = await load(path, text);
        for (const { at } of config.findings) assert.ok(at.line >= 1 && at.column >= 1);
      }),
      { numRuns: 400 },
    );
  });
}
