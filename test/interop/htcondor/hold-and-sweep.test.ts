import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Pool } from './pool.ts';
import { lengths } from './pool-config.ts';
import { storeLogin } from './stored-login.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

const told = surroundings();
const pool = new Pool(told.root);

test('a job whose token is not there is held, and runs after the login and a release', async () => {
  // As a job comes that was submitted from elsewhere: nobody asked the credd.
  const job = await pool.queued('judy', {
    script: 'cat $_CONDOR_CREDS/mytok.use',
    lines: ['+OAuthServicesNeeded = "mytok"'],
  });
  await pool.waitFor(job, 'held');
  const { HoldReasonCode: code } = await pool.ad(job);
  assert.equal(code, 4, 'CorruptedCredential');
  await storeLogin(pool, told, 'judy');
  await until('the credmon wrote the token', () => pool.readUse('judy', 'mytok'));
  await pool.output(['condor_release', job.id], { user: 'judy' });
  assert.match(await pool.result(job), /"access_token"/);
});

test('a user whose last job has left is marked and swept, and the credmon makes nothing anew', async () => {
  await storeLogin(pool, told, 'mallory');
  await until('the token is there', () => pool.readUse('mallory', 'mytok'));
  const job = await pool.queued('mallory', {
    script: 'cat $_CONDOR_CREDS/mytok.use',
    lines: ['use_oauth_services = mytok'],
  });
  await pool.result(job);
  const there = (name: string) => existsSync(pool.credentialPath(name));
  await until('the schedd marked the user', () => there('mallory.mark'), { within: lengths.absentOwner + 60 });
  assert.ok(there('mallory/mytok.use'), 'jobs may come until the sweep');
  await until('the credd swept the user', () => !there('mallory'), { within: lengths.sweepDelay + 60 });
  const { stdout } = await until('status does not know the user any more', async () => {
    const status = await pool.run(['tokeep', 'credmon', 'status']);
    return !status.stdout.includes('mallory') && status;
  });
  assert.match(stdout, /mytok/, 'but others');
  assert.ok(!there('mallory'));
});
