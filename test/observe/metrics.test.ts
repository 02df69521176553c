import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../src/observe/log.ts';
import { countEvents, metricsText } from '../../src/observe/metrics.ts';
import { serveMetrics, writeTextfile } from '../../src/observe/metrics-endpoint.ts';
import { statusReport } from '../../src/observe/status.ts';
import type { AccountName } from '../../src/token/names.ts';
import { after, days, minutes } from '../../src/token/time.ts';
import { realServeText } from '../../src/world/real-text-server.ts';
import { realWorld } from '../../src/world/real-world.ts';
import {
  account,
  accountRecord,
  deliveryRecord,
  downIssuer,
  noon,
  records,
  wanted,
  wish,
  wishRecord,
} from './samples.ts';

const reportOf = (count: number) => {
  const names = Array.from({ length: count }, (_, n) => `w"${n}`);
  return statusReport(
    records({
      wishes: names.map((name) => wishRecord(name, 'atlas', { dueAt: after(noon, minutes(-2)) })),
      accounts: [accountRecord('atlas', { expiry: { kind: 'known', at: after(noon, days(30)), from: 'exp' } })],
      deliveries: names.slice(0, 1).map((name) => deliveryRecord(name)),
      issuers: [{ ...downIssuer, skew: -1500 }],
    }),
    wanted(
      [account('atlas')],
      names.map((name) => wish(name, 'atlas')),
    ),
    noon,
  );
};

test('the report becomes Prometheus text, with a series for each of a few wishes', () => {
  const log = countEvents(silentLogger);
  log.event('delivered', { wish: 'a', target: 'b' });
  log.event('delivered', { wish: 'a', target: 'b' });
  const lines = metricsText(reportOf(2), { counters: log }).split('\n');
  for (const expected of [
    'tokeep_wishes{state="due"} 2',
    'tokeep_targets{state="delivered"} 1',
    'tokeep_targets{state="waiting"} 1',
    `tokeep_token_expiry_timestamp_seconds{wish="w\\"1",account="atlas"} ${after(noon, minutes(30)) / 1000}`,
    `tokeep_token_expiry_earliest_timestamp_seconds ${after(noon, minutes(30)) / 1000}`,
    'tokeep_due_lag_seconds 120',
    'tokeep_token_renewals_total 2',
    'tokeep_login_ready{account="atlas"} 1',
    `tokeep_login_expiry_timestamp_seconds{account="atlas"} ${after(noon, days(30)) / 1000}`,
    'tokeep_issuer_circuit_open{issuer="https://issuer.example/"} 1',
    'tokeep_issuer_clock_skew_seconds{issuer="https://issuer.example/"} -1.5',
    'tokeep_events_total{event="delivered"} 2',
    '# TYPE tokeep_events_total counter',
  ]) {
    assert.ok(lines.includes(expected), `${expected} is missing in\n${lines.join('\n')}`);
  }
});

test('an account that nobody has logged in for yet is not ready, and one that needs no login is left out', () => {
  const report = statusReport(records({}), wanted([account('atlas')], []), noon);
  const robot = {
    name: 'robot' as AccountName,
    grant: 'client_credentials',
    login: 'none',
    loginEnds: 'none',
  } as const;
  const text = metricsText({ ...report, accounts: [...report.accounts, robot] });
  const logins = text.split('\n').filter((line) => line.startsWith('tokeep_login_ready'));
  assert.deepEqual(logins, ['tokeep_login_ready{account="atlas"} 0']);
});

test('above 1,000 wishes only sums are published, unless each is asked for', () => {
  const report = reportOf(1001);
  assert.ok(metricsText(report).split('\n').length < 60);
  assert.ok(metricsText(report, { everyWish: true }).split('\n').length > 1001);
});

test('the endpoint answers /metrics, /healthz and /readyz, and refuses the rest', async () => {
  const state = { alive: true, ready: false };
  await using server = await serveMetrics(realServeText, '127.0.0.1:0', {
    metrics: async () => metricsText(reportOf(1)),
    alive: () => state.alive,
    ready: () => state.ready,
  });
  const ask = async (path: string, method = 'GET') => await fetch(`http://${server.address}${path}`, { method });
  const metrics = await ask('/metrics?x=1');
  assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await metrics.text(), /^# HELP tokeep_wishes /);
  assert.equal((await ask('/healthz')).status, 200);
  assert.equal((await ask('/readyz')).status, 503);
  state.ready = true;
  state.alive = false;
  assert.equal((await ask('/healthz')).status, 503);
  assert.equal((await ask('/readyz')).status, 200);
  assert.equal((await ask('/elsewhere')).status, 404);
  assert.equal((await ask('/metrics', 'POST')).status, 405);
  await assert.rejects(
    serveMetrics(realServeText, server.address, { metrics: async () => '', alive: () => true, ready: () => true }),
    {
      code: 'config-invalid',
      message: `metrics cannot listen on ${server.address}: another program listens there`,
    },
  );
});

test('a report that cannot be made is a 500 without its reason', async () => {
  await using server = await serveMetrics(realServeText, '0', {
    metrics: () => Promise.reject(new Error('canary-9a')),
    alive: () => true,
    ready: () => true,
  });
  const answer = await fetch(`http://${server.address}/metrics`);
  assert.equal(answer.status, 500);
  assert.ok(!(await answer.text()).includes('canary-9a'));
});

test('an address that is none is refused with what it should look like', async () => {
  for (const listen of ['here', '127.0.0.1:99999', '127.0.0.1:', 'a b:1']) {
    const sources = { metrics: async () => '', alive: () => true, ready: () => true };
    await assert.rejects(serveMetrics(realServeText, listen, sources), { code: 'config-invalid' }, listen);
  }
});

test('the node_exporter file is replaced whole, readable by all, and leaves nothing beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokeep-prom-'));
  try {
    const path = join(folder, 'tokeep.prom');
    await writeTextfile(realWorld(), path, 'tokeep_up 1\n');
    const { ino } = await stat(path);
    await writeTextfile(realWorld(), path, 'tokeep_up 2\n');
    assert.equal(await readFile(path, 'utf8'), 'tokeep_up 2\n');
    assert.notEqual((await stat(path)).ino, ino);
    assert.equal((await stat(path)).mode & 0o777, 0o644);
    assert.deepEqual(await readdir(folder), ['tokeep.prom']);
    await assert.rejects(writeTextfile(realWorld(), join(folder, 'none', 'x.prom'), ''), { code: 'config-invalid' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
