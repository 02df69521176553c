import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account, Config, Wish } from '../../src/config/config.ts';
import { convertOsgToYaml } from '../../src/config/convert.ts';
import { effectiveConfig } from '../../src/config/show.ts';
import { load, sentences } from './in-memory.ts';

const ini = `[DEFAULT]
client_secret = canary-50%%
[account cc]
token_request_url = https://cilogon.org:443/oauth2/token
client_id = host:demo.opensciencegrid.org
ca_file = /ca.pem
[account agent]
password_file = /etc/osg/tokens/agent.pw
[account spare]
password_file = /etc/osg/tokens/spare.pw
[token plain]
account = cc
token_path = /t/plain.token
[token whole]
account = cc
token_path = /t/whole.token
audience = https://topology.opensciencegrid.org
scope = read, write
min_lifetime = 7200
in_place = yes
[token lists]
account = cc
token_path = /t/lists.token
audience = a b
scope = storage.read:/a,b c
min_lifetime = 90
[token raw]
account = cc
token_path = /t/raw.token
audience = a,b
min_lifetime = 0
[token blank]
account = agent
token_path = /t/blank.token
[token {odd}: "name"]
account = agent
token_path = /t/odd.token
`.replace(' "name"', '"name"');

/** What matters: not where it stands, nor where the secret lies. */
const comparable = (config: Config) => ({
  accounts: [...config.accounts.values()].map(({ at, fingerprint, ...account }: Account) =>
    'clientAuth' in account && 'secret' in account.clientAuth
      ? { ...account, clientAuth: { ...account.clientAuth, secret: 'somewhere' } }
      : account,
  ),
  wishes: [...config.wishes.values()].map(({ at, ...wish }: Wish) => wish),
});

test('a converted ini gives equal accounts and wishes, fingerprints of wishes included', async () => {
  const before = await load('/c.ini', ini);
  assert.deepEqual(
    before.findings.filter(({ severity }) => severity === 'error'),
    [],
  );
  const { yaml } = convertOsgToYaml(before);
  const after = await load('/c.yaml', yaml);
  assert.deepEqual(sentences(after), []);
  assert.equal(after.wishes.size, 6);
  assert.deepEqual(comparable(after), comparable(before));
});

test('a secret of the ini becomes a file to write, and is not in the yaml', async () => {
  const { yaml, secretFiles } = convertOsgToYaml(await load('/c.ini', ini));
  assert.deepEqual(
    secretFiles.map(({ path, secret }) => [path, secret.reveal()]),
    [['/etc/tokeep/secrets/cc', 'canary-50%']],
  );
  assert.equal(yaml.includes('canary'), false);
  assert.match(
    yaml,
    /# put the client secret into this file, readable by tokeep only\n\s+client_secret:\n\s+file: \/etc\/tokeep\/secrets\/cc/,
  );
});

test('what is taken for granted is not written', async () => {
  const { yaml } = convertOsgToYaml(await load('/c.ini', ini));
  for (const word of ['timeout', 'mode', 'form', 'due-point']) assert.equal(yaml.includes(word), false, word);
});

test('the effective configuration hides secrets, spells out defaults, and reads back as the same', async () => {
  const shown = effectiveConfig(await load('/c.ini', ini));
  assert.equal(shown.includes('canary'), false);
  assert.match(shown, /client_secret: "?\[redacted [0-9a-f]{4}\]/);
  assert.match(shown, /timeout: 30s/);
  const yaml = `accounts: { a: { grant: refresh_token, issuer: https://a, client_id: x, client_secret: { file: /s } } }
tokens:
  t-{n}: { for_each: { file: /rows }, account: a, deliver: [{ file: "/t/{n}", mode: "0440" }, { discovery: u }, { exec: [/bin/x] }] }
notify: { n: { webhook: { url: https://chat.example/hook/canary } }, m: { command: [/bin/m] } }
limits: { per_second: 7 }
metrics: { listen: 127.0.0.1:1 }
`;
  const before = await load('/c.yaml', yaml, { '/rows': '[{"n":1},{"n":2}]' });
  const text = effectiveConfig(before);
  assert.equal(text.includes('canary'), false);
  const after = await load('/d.yaml', text);
  assert.deepEqual(sentences(after), []);
  assert.deepEqual(comparable(after), comparable(before));
  assert.deepEqual([after.limits, after.metrics, after.store], [before.limits, before.metrics, before.store]);
});
