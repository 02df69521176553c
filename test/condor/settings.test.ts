import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { knobsOfDump } from '../../src/condor/knob-dump.ts';
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
  assert.equal(read.state, '/var/lib/tokeep/credmon');
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
