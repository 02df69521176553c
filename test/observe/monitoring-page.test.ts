import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ownCodes } from '../../src/observe/condition.ts';
import { silentLogger } from '../../src/observe/log.ts';
import { countEvents, metricsText } from '../../src/observe/metrics.ts';
import { statusReport } from '../../src/observe/status.ts';
import { statusJson } from '../../src/observe/status-json.ts';
import { after, days } from '../../src/token/time.ts';
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

const page = await readFile(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');

const report = statusReport(
  records({
    wishes: [wishRecord('mon', 'atlas')],
    accounts: [accountRecord('atlas', { expiry: { kind: 'known', at: after(noon, days(30)), from: 'exp' } })],
    deliveries: [deliveryRecord('mon')],
    issuers: [{ ...downIssuer, skew: 1 }],
  }),
  wanted([account('atlas')], [wish('mon', 'atlas')]),
  noon,
);

test('docs/monitoring.md names every metric and no other', () => {
  const log = countEvents(silentLogger);
  log.event('stopped', {});
  const made = [...metricsText(report, { counters: log }).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const named = [...page.matchAll(/tokeep_[a-z_]+/g)].map(([name]) => name);
  assert.deepEqual([...new Set(named)].sort(), made.sort());
});

test('docs/monitoring.md names every key of the JSON report, and every code of our own', () => {
  const keys = new Set<string>();
  JSON.stringify(JSON.parse(statusJson(report)), (key, value: unknown) => {
    if (/^[a-z_]+$/.test(key)) keys.add(key);
    return value;
  });
  for (const key of [...keys, ...Object.keys(ownCodes)]) {
    assert.ok(page.includes(`\`${key}\``) || page.includes(`\`${key}[]\``), key);
  }
});
