import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type CredmonPlace, credmonPlace, stop } from './credmon-place.ts';
import { fakeAccessPoint } from './fake-access-point.ts';

function accessPoint({ directory, knobs, issuer }: CredmonPlace) {
  const { refreshTokens } = issuer;
  return fakeAccessPoint({ directory, version: '23.9.6', knobs, local: 'scitokens', oauth2: 'mytok', refreshTokens });
}

const isThere = (content: string | undefined) => content !== undefined;
const soon = 10_000;

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + soon; !holds(); await wait(20)) assert.ok(performance.now() < end, `${holds}`);
}

const logged = (place: CredmonPlace, words: RegExp) => until(() => words.test(place.log()));

test('scenario 48: a directory that is empty at the start, since it is not mounted yet, costs no token; nor does a setting that was wrong for a while', {
  timeout: 120_000,
}, async (t) => {
  const place = await credmonPlace(t, 2);
  const { directory } = place;
  const point = accessPoint(place);
  const login = () => JSON.stringify({ refresh_token: point.newRefreshToken() });
  let credmon: ChildProcess = await place.start();
  await point.add('alice', { service: 'mytok' }, login());
  const use = await point.use('alice', 'mytok', isThere);
  const renewals = () => place.log().match(/renewed alice\/mytok/g)?.length;
  await logged(place, /delivered alice\/mytok/);
  assert.equal(await stop(credmon), 0);

  renameSync(`${directory}/alice`, `${directory}-alice`);
  credmon = await place.start();
  renameSync(`${directory}-alice`, `${directory}/alice`);
  // Of a user who came later everything is there: so alice was looked at before.
  await point.add('bob', { service: 'scitokens' }, 'bob');
  await point.use('bob', 'scitokens', isThere);
  assert.deepEqual([await point.use('alice', 'mytok', isThere), renewals()], [use, 1]);

  await place.reconfigure({ mytok_CLIENT_ID: undefined });
  credmon.kill('SIGHUP');
  await logged(place, /no token is kept for mytok of alice/);
  const reloads = () => place.log().match(/config-reloaded/g)?.length ?? 0;
  const before = reloads();
  await place.reconfigure({});
  credmon.kill('SIGHUP');
  await until(() => reloads() > before);
  await point.add('carol', { service: 'scitokens' }, 'carol');
  await point.use('carol', 'scitokens', isThere);
  assert.deepEqual([await point.use('alice', 'mytok', isThere), renewals()], [use, 1]);
  assert.equal(await stop(credmon), 0);
});

test('scenario 50: a handle waits no longer than the credential that it lives on, when that is replaced', {
  timeout: 60_000,
}, async (t) => {
  const place = await credmonPlace(t, 1);
  const point = accessPoint(place);
  const credmon = await place.start();
  await point.add('alice', { service: 'mytok' }, JSON.stringify({ refresh_token: 'dead' }));
  await point.add('alice', { service: 'mytok', handle: 'rd' }, '{}');
  await logged(place, /no new token for alice\/mytok/);
  await point.add('bob', { service: 'scitokens' }, 'bob');
  await point.use('bob', 'scitokens', isThere);
  await point.add('alice', { service: 'mytok' }, JSON.stringify({ refresh_token: point.newRefreshToken() }));
  await point.use('alice', 'mytok', isThere);
  await point.use('alice', 'mytok_rd', isThere);
  assert.equal(await stop(credmon), 0);
});
