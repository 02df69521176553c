import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsIn } from './claims.ts';
import { Pool } from './pool.ts';
import { domain, robotService } from './pool-config.ts';
import { storeLogin } from './stored-login.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

const told = surroundings();
const pool = new Pool(told.root);

test('`tokeep condor store` as SEC_CREDENTIAL_STORER: a handle gets a narrower token, made from the login of its service', async () => {
  await storeLogin(pool, told, 'sybil', { scope: 'compute.read compute.create' });
  await until('the token of the login is there', () => pool.readUse('sybil', 'mytok'));
  const job = await pool.queued(
    'sybil',
    {
      script: 'for name in mytok_rd mytok_wr; do cat $_CONDOR_CREDS/$name.use; echo; done',
      lines: [
        'use_oauth_services = mytok',
        'mytok_oauth_permissions_rd = compute.read',
        'mytok_oauth_permissions_wr = compute.create',
      ],
    },
    { env: { _CONDOR_SEC_CREDENTIAL_STORER: '/usr/bin/tokeep-credential-storer' } },
  );
  const [rd, wr] = (await pool.result(job)).trim().split('\n').filter(Boolean).map(claimsIn);
  assert.deepEqual([rd?.['scope'], wr?.['scope']], ['compute.read', 'compute.create']);
  assert.deepEqual([rd?.['sub'], wr?.['sub']], ['sybil', 'sybil']);
});

test('the target `htcondor`: a service account of CRED_SUPER_USERS pushes tokens for a user, and keeps them fresh', async () => {
  await pool.write('pusher', 'secret', robotService.secret);
  const config = {
    state: '/home/pusher/state',
    accounts: {
      robot: {
        ...{ grant: 'client_credentials', issuer: told.issuer, client_id: robotService.id },
        client_secret: { file: '/home/pusher/secret' },
      },
    },
    tokens: {
      'trent-data': {
        ...{ account: 'robot', scope: ['compute.read'], audience: 'https://data.example.org' },
        deliver: [{ htcondor: `trent@${domain}`, service: 'pushed' }],
      },
    },
  };
  await pool.write('pusher', 'tokeep.yaml', JSON.stringify(config));
  const renew = ['tokeep', '--config', '/home/pusher/tokeep.yaml', 'renew', '--force'];
  await pool.output(renew, { user: 'pusher' });
  const first = await until('the pushed token is there', () => pool.readUse('trent', 'pushed'));
  const job = await pool.queued('trent', {
    script: 'cat $_CONDOR_CREDS/pushed.use',
    lines: ['use_oauth_services = pushed'],
  });
  const claims = claimsIn(await pool.result(job));
  assert.deepEqual(
    [claims['sub'], claims['aud'], claims['scope']],
    [robotService.id, 'https://data.example.org', 'compute.read'],
  );
  await pool.output(renew, { user: 'pusher' });
  await until('the next one replaces it', () => pool.readUse('trent', 'pushed') !== first);
  const stranger = await pool.run(
    ['condor_store_cred', 'add-oauth', '-u', `trent@${domain}`, '-s', 'pushed', '-i', '-'],
    {
      ...{ user: 'victor', input: '{"access_token":"of somebody else"}' },
    },
  );
  assert.notEqual(stranger.status, 0, 'nobody else may');
});
