import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimsOf } from './claims.ts';
import { Pool } from './pool.ts';
import { services } from './pool-config.ts';
import { refreshTokenOf, storeLogin, storeTop } from './stored-login.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';
import { healthy } from './users.ts';

const told = surroundings();
const pool = new Pool(told.root);
const expiry = (user: (typeof healthy)[number]) => Number(claimsOf(pool.readUse(user, 'mytok'))['exp']);

test('a dead refresh token beside ten healthy ones: these keep fresh, the dead one is named and mailed', async () => {
  const dead = await refreshTokenOf(told, 'grace');
  const { id, secret } = services.mytok;
  const revoked = new URLSearchParams({ token: dead, client_id: id, client_secret: secret });
  assert.equal((await fetch(`${told.issuer}/token/revocation`, { method: 'POST', body: revoked })).status, 200);
  await storeTop(pool, 'grace', { refresh_token: dead });
  await Promise.all(healthy.map((user) => storeLogin(pool, told, user)));
  for (const user of healthy) await until(`${user} has a token`, () => pool.readUse(user, 'mytok'));
  const first = new Map(healthy.map((user) => [user, expiry(user)]));

  const named = await until('status names the dead one', async () => {
    const { stdout, stderr, status } = await pool.run(['tokeep', 'credmon', 'status']);
    const said = stdout + stderr;
    return said.includes('grace/mytok') && { said, status };
  });
  assert.equal(named.status, 5, 'a person is needed');
  assert.match(named.said, /grace runs: condor_store_cred delete-oauth -s mytok/);
  const mails = () => readdirSync(told.mails).filter((name) => name.endsWith('.eml'));
  const mailed = () => mails().some((name) => readFileSync(join(told.mails, name), 'utf8').includes('grace/mytok'));
  await until('it was mailed', mailed, { within: 60 });
  for (const user of healthy)
    await until(`${user}'s token was renewed`, () => expiry(user) > (first.get(user) ?? 0), { within: 60 });
  assert.equal(pool.readUse('grace', 'mytok'), undefined);
  for (const user of healthy) assert.ok(expiry(user) * 1000 > Date.now());
});
