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

/** `name{label,label}` of every metric that is named in backquotes, and of every sample that is made. */
const withLabels = (name: string, labels: readonly string[]): string => `${name}{${labels.join(',')}}`;

test('docs/monitoring.md names every metric with its labels, and no other', () => {
  const log = countEvents(silentLogger);
  log.event('stopped', {});
  const samples = metricsText(report, { counters: log }).matchAll(/^(tokeep_[a-z_]+)(?:\{(.*)\})? /gm);
  const made = new Set(
    [...samples].map(([, name = '', labels = '']) =>
      withLabels(
        name,
        [...labels.matchAll(/([a-z]+)="/g)].map(([, label = '']) => label),
      ),
    ),
  );
  const cells = [...page.matchAll(/`(tokeep_[a-z_]+)(?:\{([a-z,]+)\})?`/g)];
  const named = cells.map(([, name = '', labels = '']) => withLabels(name, labels.split(',').filter(Boolean)));
  assert.deepEqual([...new Set(named)].sort(), [...made].sort());
  const known = new Set(cells.map(([, name]) => name));
  for (const [name] of page.matchAll(/tokeep_[a-z_]+/g)) assert.ok(known.has(name), name);
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
