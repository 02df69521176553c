import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { person } from '../peers/start-issuer.ts';
import { type AccessPoint, creddContract } from './credd-contract.ts';
import { type CredmonPlace, credmonPlace, stop } from './credmon-place.ts';
import { fakeAccessPoint } from './fake-access-point.ts';

const isThere = (content: string | undefined) => content !== undefined;

function accessPoint(
  { directory, knobs }: CredmonPlace,
  version: AccessPoint['version'],
  refreshTokens: readonly string[],
) {
  return fakeAccessPoint({ directory, version, knobs, local: 'scitokens', oauth2: 'mytok', refreshTokens });
}

test('our credmon keeps the contract', { timeout: 120_000 }, async (t) => {
  const each = 12;
  const place = await credmonPlace(t, 2 * each);
  const { refreshTokens } = place.issuer;
  const credmon = await place.start();
  for (const [version, from] of [
    ['23.9.6', 0],
    ['main', each],
  ] as const) {
    const point = accessPoint(place, version, refreshTokens.slice(from, from + each));
    for (const { name, holds } of creddContract) await t.test(`with HTCondor ${version}: ${name}`, () => holds(point));
  }

  await t.test('no secret is in the log', () => {
    const log = place.log();
    assert.ok(log.length > 0);
    for (const secret of [...refreshTokens, person.client_secret ?? '']) assert.ok(!log.includes(secret));
  });

  await t.test('SIGTERM ends it with 0', async () => {
    assert.equal(await stop(credmon), 0);
  });
});

test('a credmon that was killed is replaced: what came meanwhile is made, what is good stays, and what went stays gone', {
  timeout: 120_000,
}, async (t) => {
  const place = await credmonPlace(t, 4);
  const { directory, issuer } = place;
  const first = await place.start();
  const point = accessPoint(place, '23.9.6', issuer.refreshTokens);
  const give = (user: string) =>
    point.add(user, { service: 'mytok' }, JSON.stringify({ refresh_token: point.newRefreshToken() }));
  const tokenOf = async (user: string) => JSON.parse((await point.use(user, 'mytok', isThere)) ?? '').access_token;
  await give('alice');
  await give('bob');
  const token = await tokenOf('alice');
  await tokenOf('bob');
  assert.equal(await stop(first, 'SIGKILL'), 'SIGKILL');

  await point.sweep('bob');
  await give('carol');
  const second = await place.start();
  assert.equal(readFileSync(`${directory}/pid`, 'utf8'), `${second.pid}`);
  await tokenOf('carol');
  assert.equal(await tokenOf('alice'), token);
  assert.ok(!existsSync(`${directory}/bob`));
  assert.equal(await stop(second), 0);
});
