import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Daemon } from '../../src/renew/daemon.ts';
import { robot, startIssuer } from '../peers/start-issuer.ts';
import { manyWishes, setting } from './setting.ts';

test('a daemon keeps twelve tokens of two seconds fresh against a real issuer, on the real clock', async () => {
  await using issuer = await startIssuer({ accessTokenLife: 2 });
  const config = manyWishes(issuer.issuer, { logins: 0, robots: 12 }).replaceAll(
    'client_id: robot',
    `client_id: ${robot.client_id}`,
  );
  await using here = await setting({ config: `${config}\nlimits: { concurrency: 8, per_second: 50 }\n` });
  await writeFile(join(here.dir, 'secret'), `${robot.client_secret}\n`, { mode: 0o600 });
  const stop = new AbortController();
  const enough = Promise.withResolvers<void>();
  const renewals = new Map<string, number>();
  const daemon = new Daemon(here.engine, {
    stop: stop.signal,
    hurry: stop.signal,
    onTurn: async () => {},
    onReport: ({ wish, renewed }) => {
      if (renewed) renewals.set(wish.name, (renewals.get(wish.name) ?? 0) + 1);
      if (renewals.size === 12 && Math.min(...renewals.values()) >= 3) enough.resolve();
    },
  });
  const ended = daemon.run();
  await enough.promise;
  const { totals } = await here.status();
  assert.equal(totals.expired + totals.waiting, 0, JSON.stringify(totals));
  stop.abort(new Error('stop'));
  await ended;
  const most = Math.max(...renewals.values());
  assert.ok(most <= 8, `${most} renewals of one token in the time of three`);
});
