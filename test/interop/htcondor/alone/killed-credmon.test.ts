import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startIssuer } from '../../../peers/start-issuer.ts';
import { claimsOf } from '../claims.ts';
import { startGate } from '../gate.ts';
import { Pool } from '../pool.ts';
import { lengths } from '../pool-config.ts';
import { loginAt, storeTop } from '../stored-login.ts';
import { surroundings } from '../surroundings.ts';
import { until } from '../until.ts';

const told = surroundings();
const pool = new Pool(told.root);
const client = {
  ...{ id: 'client-gated.test', secret: 'gated-secret-canary-0123456789abcdefghij' },
  redirectUri: 'https://localhost:8443/return/gated',
};

const token = () => pool.readUse('peggy', 'gated');
const expiry = () => Number(claimsOf(token())['exp']);
const refreshToken = () =>
  (JSON.parse(pool.credential('peggy/gated.top') ?? '{}') as { readonly refresh_token?: string }).refresh_token;
const pid = () => Number(pool.credential('pid'));

/** A service beside the others, whose token endpoint is behind the gate; learnt by condor_reconfig, without a restart. */
async function configure(port: number): Promise<void> {
  await writeFile(join(told.root, 'etc/condor/.secrets/gated'), `${client.secret}\n`, { mode: 0o600 });
  const knobs = [
    `GATED_CLIENT_ID = ${client.id}`,
    'GATED_CLIENT_SECRET_FILE = /etc/condor/.secrets/gated',
    'GATED_RETURN_URL_SUFFIX = /return/gated',
    `GATED_AUTHORIZATION_URL = http://127.0.0.1:${port}/auth`,
    `GATED_TOKEN_URL = http://127.0.0.1:${port}/token`,
  ];
  await writeFile(join(told.root, 'etc/condor/config.d/70-gated.conf'), `${knobs.join('\n')}\n`);
  await pool.output(['condor_reconfig']);
}

test('the credmon is killed while a refresh token is on its way: the master starts it again, and no token is lost', async () => {
  await using issuer = await startIssuer({
    ...{ accessTokenLife: lengths.accessToken, scopes: ['compute.read'], audiences: ['https://data.example.org'] },
    clients: [
      {
        ...{ client_id: client.id, client_secret: client.secret, redirect_uris: [client.redirectUri] },
        ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
  });
  await using gate = await startGate(issuer.port);
  await configure(gate.port);
  await storeTop(
    pool,
    'peggy',
    { refresh_token: await loginAt(issuer.issuer, client, 'peggy', 'compute.read') },
    'gated',
  );
  await until('the first token is there', token);
  const [first, login, killed] = [expiry(), refreshToken(), pid()];

  await gate.shut();
  process.kill(killed, 'SIGKILL');
  assert.equal(refreshToken(), login, 'the credential stays where it was');
  assert.equal(expiry(), first, 'jobs keep the token they have');
  gate.open();
  await until('the master started it again', () => pid() !== killed, { within: 60 });
  await until('the next token is there', () => expiry() > first, { within: 120 });
  assert.notEqual(refreshToken(), login, 'the successor is where the next credmon looks');
  const left = await pool.output(['ps', '-e', '-o', 'pid=,ppid=,args=']);
  const orphans = left.split('\n').filter((line) => /^\s*\d+\s+1\s/.test(line) && line.includes('/usr/lib/tokeep'));
  assert.deepEqual(orphans, [], 'nothing of the killed one is left');
  await pool.storeCred('peggy', 'delete-oauth', ['-s', 'gated']);
});
