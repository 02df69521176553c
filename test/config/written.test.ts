import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accountSection,
  insertAccountSection,
  insertTokenSection,
  osgAccountSection,
} from '../../src/config/init-section.ts';
import { configJsonSchemaText } from '../../src/config/json-schema.ts';
import { exampleConfig, renderConfigReference } from '../../src/config/reference.ts';
import { settingKeys } from '../../src/config/schema.ts';
import { writePathsDropIn } from '../../src/config/systemd.ts';
import { Secret } from '../../src/token/secret.ts';
import { load, sentences } from './in-memory.ts';

test('the example of the reference has nothing wrong with it', async () => {
  const config = await load('/c.yaml', exampleConfig, {
    '/etc/tokeep/ces.yaml': '- { name: ce1, host: ce1.example.org }\n',
  });
  assert.deepEqual(sentences(config), []);
  assert.deepEqual([...config.wishes.keys()], ['monitoring', 'ce-ce1']);
});

test('every key of the schema is in the reference, with what it means', () => {
  const schema = JSON.parse(configJsonSchemaText());
  const reference = renderConfigReference();
  for (const key of settingKeys) assert.ok(reference.includes(`## \`${key}:\``), key);
  const visit = (node: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries((node['properties'] ?? {}) as Record<string, Record<string, unknown>>)) {
      if (value['const'] === undefined)
        assert.ok(typeof value['description'] === 'string', `${key} has no description`);
    }
    for (const inner of Object.values(node)) {
      for (const part of Array.isArray(inner) ? inner : [inner]) {
        if (typeof part === 'object' && part !== null) visit(part as Record<string, unknown>);
      }
    }
  };
  visit(schema);
});

test('a new account goes into the text, and comments and other sections stay as they are', async () => {
  const text = `# ours
accounts:
  # the old one
  old: { grant: refresh_token, issuer: https://old.example/ } # keep
tokens:
  t: { account: old }
`;
  const account = {
    grant: 'refresh_token',
    issuer: 'https://new.example/',
    client_id: 'x',
    client_secret: { file: '/s' },
  } as const;
  const written = insertAccountSection(text, 'new', account);
  for (const kept of ['# ours', '# the old one', '# keep']) assert.ok(written.includes(kept), kept);
  const config = await load('/c.yaml', insertTokenSection(written, 't2', { account: 'new', scope: ['r'] }));
  assert.deepEqual(sentences(config), []);
  assert.deepEqual(
    [[...config.accounts.keys()], [...config.wishes.keys()]],
    [
      ['old', 'new'],
      ['t', 't2'],
    ],
  );
});

test('an account of the same name is replaced', async () => {
  const text = insertAccountSection('accounts:\n  a: { grant: refresh_token, issuer: https://old.example/ }\n', 'a', {
    grant: 'refresh_token',
    issuer: 'https://new.example/',
  });
  assert.equal(text.includes('old.example'), false);
  assert.deepEqual(sentences(await load('/c.yaml', text)), []);
});

test('an account goes into an empty file, a file of comments, and below an empty key', async () => {
  for (const text of ['', '# only this\n', 'accounts:\ntokens: {}\n', 'tokens: {}\n']) {
    const written = insertAccountSection(text, 'a', { grant: 'refresh_token', issuer: 'https://a.example/' });
    const config = await load('/c.yaml', written);
    assert.deepEqual([sentences(config), [...config.accounts.keys()]], [[], ['a']], text);
    if (text.startsWith('#')) assert.ok(written.includes('# only this'));
  }
});

test('a text that is broken is left alone, with a fault', () => {
  const account = { grant: 'refresh_token', issuer: 'https://a.example/' } as const;
  assert.throws(() => insertAccountSection('accounts: {', 'a', account), /is not YAML, so "a" cannot be added/);
  for (const text of ['accounts: 5\n', '- a\n']) {
    assert.throws(() => insertAccountSection(text, 'a', account), /is not a mapping, so "a" cannot be added/, text);
  }
});

test('a section to paste by hand reads back', async () => {
  const text = accountSection('a', { grant: 'refresh_token', issuer: 'https://a.example/' });
  assert.deepEqual(sentences(await load('/c.yaml', text)), []);
});

test('the sections that osg-token-renewer-setup prints read back, per cent signs and all', async () => {
  const clientSecret = new Secret('client_secret', '50%(off)s%%');
  const section = osgAccountSection({
    kind: 'client-credentials',
    name: 'a',
    tokenRequestUrl: 'https://a.example/t',
    clientId: 'x',
    clientSecret,
  });
  const config = await load(
    '/c.ini',
    `${section}${osgAccountSection({ kind: 'oidc', name: 'b', passwordFile: '/b.pw' })}`,
  );
  assert.deepEqual(sentences(config), []);
  const [a, b] = config.accounts.values();
  assert.ok(a?.grant === 'client_credentials' && a.clientAuth.kind === 'client_secret_basic');
  assert.ok(a.clientAuth.secret.kind === 'inline' && a.clientAuth.secret.secret.equals(clientSecret));
  assert.equal(b?.grant, 'refresh_token');
});

test('the drop-in has one line for each directory that is written to', async () => {
  const config = await load(
    '/c.yaml',
    `accounts: { a: { grant: refresh_token, oidc_agent_file: /agent/a, password: { file: /p } } }
tokens:
  one: { account: a, deliver: [{ file: /run/x/a.token }, { file: /run/x/b.token }, { file: /mnt/single, in_place: true }] }
  two: { account: a, deliver: [{ file: "/srv/50% of\\\\it/t" }, { discovery: alice }] }
spool: /srv/spool
metrics: { textfile: /var/lib/node/t.prom }
`,
  );
  assert.deepEqual(sentences(config), []);
  assert.deepEqual(writePathsDropIn(config, 'tokeep.service').split('\n').slice(2), [
    '[Service]',
    'ReadWritePaths=-/agent',
    'ReadWritePaths=-/mnt/single',
    'ReadWritePaths=-/run/user',
    'ReadWritePaths=-/run/x',
    'ReadWritePaths=-/srv/50%%\\x20of\\x5cit',
    'ReadWritePaths=-/srv/spool',
    'ReadWritePaths=-/tmp',
    'ReadWritePaths=-/var/lib/node',
    '',
  ]);
});
