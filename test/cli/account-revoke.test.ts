import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startIssuer } from '../peers/start-issuer.ts';
import { bench } from './setup-peer.ts';

test('a login that was revoked is told of as that, and there is nothing to revoke twice', async (t) => {
  const issuer = await startIssuer();
  t.after(() => issuer.stop());
  await using at = await bench();
  const places = ['--config', at.path('tokeep.yaml'), '--state', at.path('state')];
  const user = process.getuid?.() === 0 ? ['--user', 'root'] : [];
  const scope = ['--scope', 'openid offline_access storage.read:/'];
  const options = [...user, '--issuer', issuer.issuer, ...scope, '--yes', 'robot'];
  const setUp = await at.run('main', ['setup', ...places, ...options], { approves: true });
  assert.equal(setUp.status, 0, setUp.stderr);
  const account = async (...words: string[]) => await at.run('main', ['account', ...words, ...places]);

  const [before] = JSON.parse((await account('list', '--json')).stdout);
  assert.deepEqual([before.login, before.until], ['ready', 'not known']);
  assert.match((await account('revoke', 'robot')).stderr, /the refresh token of robot is revoked, and deleted here/);
  const [gone] = JSON.parse((await account('list', '--json')).stdout);
  assert.deepEqual([gone.login, gone.until], ['none', '-']);
  const status = await at.run('main', ['status', ...places]);
  assert.match(status.stdout, /the login of account robot was revoked at .*\n.*\n.*run: tokeep account login robot/);

  const twice = await account('revoke', 'robot');
  assert.equal(twice.stderr, 'there is nothing to revoke: account robot has no login\n');
  assert.equal(twice.status, 0);
});
