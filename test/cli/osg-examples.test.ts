import assert from 'node:assert/strict';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { readAgentAccount } from '../../src/acquire/oidc-agent-file.ts';
import { Secret } from '../../src/token/secret.ts';
import type { KnownClient } from '../peers/issuer-config.ts';
import { startIssuer } from '../peers/start-issuer.ts';
import { bench } from './setup-peer.ts';

// The two example configurations of OSG's document on its token renewer, with other hosts and paths and nothing else changed.
const client: KnownClient = {
  client_id: 'host:demo.opensciencegrid.org',
  client_secret: 'redacted-canary-0123456789abcdefghijklmnopqr',
  grant_types: ['client_credentials'],
};
const audience = 'https://topology.opensciencegrid.org';

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test("OSG's example for client credentials: renewed once, kept while min_lifetime is left", async () => {
  await using issuer = await startIssuer({ clients: [client], audiences: [audience], accessTokenLife: 14_400 });
  await using at = await bench();
  const config = await at.file(
    'config.ini',
    `[account myclient1234]
token_request_url = ${issuer.issuer}/token
client_id = host:demo.opensciencegrid.org
client_secret = ${client.client_secret}

[token mytoken567]
account = myclient1234
token_path = ${at.path('myclient1234.mytoken567.token')}
audience = ${audience}
min_lifetime = 7200
`,
  );
  const env = {
    OSG_TOKEN_RENEWER_CONFIG_PATH: config,
    STATE_DIRECTORY: at.path('state'),
    CONFIGURATION_DIRECTORY: at.directory,
  };
  const first = await at.run('osg-token-renewer', [], { env });
  assert.equal(first.status, 0, first.stderr);
  const token = await readFile(at.path('myclient1234.mytoken567.token'), 'utf8');
  assert.equal(claimsOf(token)['aud'], audience);
  assert.equal((await stat(at.path('myclient1234.mytoken567.token'))).mode & 0o777, 0o600);
  const second = await at.run('osg-token-renewer', [], { env });
  assert.equal(second.status, 0, second.stderr);
  assert.equal(await readFile(at.path('myclient1234.mytoken567.token'), 'utf8'), token, 'nothing was due');
});

test("OSG's example for OIDC: set up under the old name, renewed in every pass, the successor is written back to oidc-agent", async () => {
  await using issuer = await startIssuer({ rotate: 'always' });
  await using at = await bench();
  await mkdir(at.path('tokens'), { mode: 0o770 });
  const password = await at.file('tokens/myclient1234.pw', 'encryption canary\n');
  const setUp = await at.run('osg-token-renewer-setup', ['--pw-file', password, 'myclient1234'], {
    input: `${issuer.issuer}\nopenid offline_access storage.read:/\n`,
    env: { USER: 'osg-token-svc' },
    approves: true,
  });
  assert.equal(setUp.status, 0, setUp.stderr);
  const section = setUp.stdout.slice(setUp.stdout.indexOf('[account'));
  const tokenFile = at.path('tokens/myclient1234.mytoken567.token');
  const config = await at.file(
    'config.ini',
    `${section}\n[token mytoken567]\naccount = myclient1234\ntoken_path = ${tokenFile}\n`,
  );
  const account = async () =>
    readAgentAccount(
      await readFile(at.path('.oidc-agent/myclient1234'), 'utf8'),
      new Secret('password', 'encryption canary'),
    );
  const before = (await account()).credential?.fingerprint;

  const env = {
    OSG_TOKEN_RENEWER_CONFIG_PATH: config,
    STATE_DIRECTORY: at.path('state'),
    CONFIGURATION_DIRECTORY: at.directory,
  };
  const first = await at.run('osg-token-renewer', [], { env });
  assert.equal(first.status, 0, first.stderr);
  const token = await readFile(tokenFile, 'utf8');
  assert.ok(token.length > 20);
  const afterFirst = (await account()).credential?.fingerprint;
  assert.notEqual(afterFirst, before, 'the rotated refresh token is in the account file, so that oidc-agent can go on');

  const second = await at.run('osg-token-renewer', [], { env });
  assert.equal(second.status, 0, second.stderr);
  assert.notEqual(await readFile(tokenFile, 'utf8'), token, 'without min_lifetime every pass brings a new token');
  assert.notEqual((await account()).credential?.fingerprint, afterFirst);
});
