import assert from 'node:assert/strict';
import { chmod, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimsIn } from '../claims.ts';
import { Pool } from '../pool.ts';
import { services } from '../pool-config.ts';
import { storeLogin } from '../stored-login.ts';
import { surroundings } from '../surroundings.ts';
import { until } from '../until.ts';

const told = surroundings();
const pool = new Pool(told.root);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** What HTCondor's own OAuth2 credmon reads and writes (oauth_credmon.py): its three files, and nothing of ours. */
async function renewAsShipped(name: string): Promise<string> {
  const read = (ending: string) => JSON.parse(pool.credential(`${name}.${ending}`) ?? '{}') as Record<string, unknown>;
  const [meta, top] = [read('meta'), read('top')];
  assert.deepEqual(Object.keys(meta).sort(), ['client_id', 'client_secret', 'token_url', 'use_refresh_token']);
  assert.equal(meta['use_refresh_token'], true);
  assert.equal(typeof read('use')['expires_in'], 'number', 'by which it knows when to renew');
  const body = new URLSearchParams({
    ...{ grant_type: 'refresh_token', refresh_token: String(top['refresh_token']) },
    ...{ client_id: String(meta['client_id']), client_secret: String(meta['client_secret']) },
  });
  const answer = await fetch(String(meta['token_url']), { method: 'POST', body });
  assert.equal(answer.status, 200);
  const { refresh_token: successor, ...use } = (await answer.json()) as Record<string, unknown>;
  for (const [ending, content] of [
    ['use', use],
    ['top', { ...top, refresh_token: successor }],
  ] as const) {
    const path = pool.credentialPath(`${name}.${ending}`);
    await writeFile(`${path}.part`, JSON.stringify(content));
    await chmod(`${path}.part`, 0o400);
    await rename(`${path}.part`, path);
  }
  return String(successor);
}

test('back to the shipped credmon and here again: each goes on where the other stopped, and no login is lost', async () => {
  await storeLogin(pool, told, 'walter');
  await until('the token is there', () => pool.readUse('walter', 'mytok'));
  assert.equal(pool.credential('walter/mytok.meta'), undefined, "no client secret in a user's directory");

  const running = Number(pool.credential('pid'));
  await pool.output(['condor_off', '-daemon', 'credmon_oauth']);
  await until('the credmon has ended', () => !isAlive(running));
  await pool.output(['tokeep', 'condor', 'restore-meta']);
  const meta = await stat(pool.credentialPath('walter/mytok.meta'));
  assert.deepEqual([meta.uid, meta.mode & 0o777], [0, 0o400]);
  const { client_id, client_secret } = JSON.parse(pool.credential('walter/mytok.meta') ?? '{}') as Record<
    string,
    string
  >;
  assert.deepEqual([client_id, client_secret], [services.mytok.id, services.mytok.secret]);
  const theirs = await renewAsShipped('walter/mytok');

  await pool.output(['condor_on', '-daemon', 'credmon_oauth']);
  const ours = () =>
    (JSON.parse(pool.credential('walter/mytok.top') ?? '{}') as { refresh_token?: string }).refresh_token;
  await until('the login that the other one left is used', () => ours() !== undefined && ours() !== theirs, {
    within: 90,
  });
  const { stdout, status } = await pool.run(['tokeep', 'credmon', 'status']);
  assert.doesNotMatch(stdout, /walter\/mytok.*(refused|login needed)/, `${status}`);
});

test('TRUST_CREDENTIAL_DIRECTORY = True as well: jobs get the same files', async () => {
  await writeFile(join(told.root, 'etc/condor/config.d/90-trust.conf'), 'TRUST_CREDENTIAL_DIRECTORY = True\n');
  await pool.output(['condor_reconfig']);
  const job = await pool.queued('victor', {
    script: 'cat $_CONDOR_CREDS/scitokens.use',
    lines: ['+WantSciToken = True'],
  });
  assert.equal(claimsIn(await pool.result(job))['sub'], 'victor');
});
