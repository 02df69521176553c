import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { knownIssuers } from '../../src/acquire/known-issuers.ts';
import { agentDirectory, oidcAgentFile } from '../../src/config/oidc-agent-home.ts';
import { realWorld } from '../../src/world/real-world.ts';

/** Writes the files below a system and a user directory and reads them as oidc-agent would. */
async function read(files: Readonly<Record<string, string>>) {
  const base = await mkdtemp(join(tmpdir(), 'tokeep-issuers-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(base, name)), { recursive: true });
      await writeFile(join(base, name), text);
    }
    const world = { ...realWorld(), env: { OIDC_CONFIG_DIR: join(base, 'user') } };
    return await knownIssuers(world, join(base, 'etc'));
  } finally {
    await rm(base, { recursive: true });
  }
}

test('issuers come from JSON with comment lines, as a list or a single object', async () => {
  const { issuers, left } = await read({
    'etc/issuer.config.d/wlcg': `# the WLCG issuer
{"issuer": "https://wlcg.cloud.cnaf.infn.it/", "legacy_aud_mode": true,
  # a comment between
  "register": "https://wlcg.cloud.cnaf.infn.it/clients"}`,
    'user/issuer.config': '[{"issuer_url":"https://localhost:9871","accounts":["acct2","acct5"]}]',
  });
  assert.deepEqual(left, []);
  assert.deepEqual(
    issuers.map(({ issuer, legacyAudience, registerAt, accounts }) => ({
      issuer,
      legacyAudience,
      registerAt,
      accounts,
    })),
    [
      {
        issuer: 'https://wlcg.cloud.cnaf.infn.it/',
        legacyAudience: true,
        registerAt: 'https://wlcg.cloud.cnaf.infn.it/clients',
        accounts: [],
      },
      { issuer: 'https://localhost:9871', legacyAudience: false, registerAt: undefined, accounts: ['acct2', 'acct5'] },
    ],
  );
});

test('what the user wrote counts more than the system, the file more than its directory, member by member', async () => {
  const { issuers } = await read({
    'etc/issuer.config.d/10-a':
      '{"issuer":"https://a","pubclient":{"client_id":"etc.d","scope":"openid"},"legacy_aud_mode":true}',
    'etc/issuer.config': '{"issuer":"https://a","pubclient":{"client_id":"etc","client_secret":"public"}}',
    'user/issuer.config.d/a':
      '{"issuer":"https://a","pubclient":{"client_id":"user.d"},"device_authorization_endpoint":"https://a/d"}',
    'user/issuer.config': '{"issuer":"https://a","legacy_aud_mode":null,"pubclient":{"client_id":"user"}}',
  });
  assert.equal(issuers.length, 1);
  assert.equal(issuers[0]?.publicClient?.clientId, 'user');
  assert.equal(issuers[0]?.publicClient?.scope, 'openid');
  assert.equal(issuers[0]?.publicClient?.clientSecret?.reveal(), 'public');
  assert.equal(issuers[0]?.deviceAuthorizationEndpoint, 'https://a/d');
  assert.equal(issuers[0]?.legacyAudience, false);
  assert.ok(!inspect(issuers, { depth: 9 }).includes("'public'"));
});

test('the text lines of agents before 5 are read', async () => {
  const { issuers } = await read({
    'etc/issuer.config': '# issuers\nhttps://iam.example/\n\n',
    'user/issuer.config': 'http://localhost:9871/ acct1\nrubbish\n',
  });
  assert.deepEqual(
    issuers.map(({ issuer, accounts }) => [issuer, accounts]),
    [
      ['https://iam.example/', []],
      ['http://localhost:9871/', ['acct1']],
    ],
  );
});

test('names that differ by a slash are two issuers', async () => {
  const { issuers } = await read({ 'etc/issuer.config': '[{"issuer":"https://a"},{"issuer":"https://a/"}]' });
  assert.equal(issuers.length, 2);
});

test('a broken file is named and does not hide the others', async () => {
  const { issuers, left } = await read({
    'etc/issuer.config.d/broken': '{"issuer": ',
    'etc/issuer.config.d/odd': '[1, null, "x", {"issuer": 7}, {"issuer":"https://b","pubclient":5,"accounts":"no"}]',
    'etc/issuer.config': '[{"issuer":"https://a"}]',
  });
  assert.deepEqual(
    issuers.map(({ issuer }) => issuer),
    ['https://b', 'https://a'],
  );
  assert.equal(left.length, 1);
  assert.match(left[0]?.message ?? '', /issuer\.config\.d\/broken/);
});

test('without any oidc-agent there are no issuers and no complaints', async () => {
  assert.deepEqual(await read({ 'other/file': '' }), { issuers: [], left: [] });
});

test("the user's directory is the one that oidc-agent itself would use", async () => {
  const home = await mkdtemp(join(tmpdir(), 'tokeep-home-'));
  const directory = (env: Readonly<Record<string, string>>) => agentDirectory({ ...realWorld(), env });
  assert.equal(await directory({ OIDC_CONFIG_DIR: '/x/', HOME: home }), '/x');
  assert.equal(await directory({ HOME: home }), `${home}/.oidc-agent`);
  await mkdir(join(home, '.config'));
  assert.equal(await directory({ HOME: home }), `${home}/.config/oidc-agent`);
  assert.equal(await directory({}), undefined);
  const file = (env: Readonly<Record<string, string>>) =>
    oidcAgentFile({ ...realWorld(), env, user: { uid: 1000, gid: 1000 } }, 'robot');
  assert.equal(await file({ HOME: home }), `${home}/.config/oidc-agent/robot`, 'where the agent would make it');
  await mkdir(join(home, '.oidc-agent'));
  await writeFile(join(home, '.oidc-agent/robot'), '');
  assert.equal(await file({ HOME: home }), `${home}/.oidc-agent/robot`, 'where it is');
  assert.equal(await file({ OIDC_CONFIG_DIR: '/x/', HOME: home }), '/x/robot');
  await rm(home, { recursive: true });
});

test('a home that we may not enter offers nothing, and is no fault', async () => {
  const real = realWorld();
  const closed = async () => {
    throw Object.assign(new Error('closed'), { code: 'EACCES' });
  };
  const world = { ...real, env: { HOME: '/root' }, files: { ...real.files, facts: closed, openDirectory: closed } };
  assert.deepEqual((await knownIssuers(world, '/nowhere')).issuers, []);
});
