import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { ServerCounts } from '../../src/issue/server-counts.ts';
import { serverMetrics } from '../../src/issue/server-metrics.ts';
import { days, epoch } from '../../src/token/time.ts';
import { post, serverBed } from './server-bed.ts';

const endsAt = epoch(Date.UTC(2027, 0, 1));

test('the metrics of the server are those that the guide lists, with the labels it names', async () => {
  await using bed = await serverBed();
  const counts = new ServerCounts();
  counts.add('tokens', { grant: 'client_credentials' });
  counts.add('tokens', { grant: 'client_credentials' });
  counts.add('refusals', { endpoint: 'token', error: 'invalid_scope' });
  counts.add('clients_refused', { reason: 'replayed' });
  counts.add('rate_limited', { by: 'client' });
  counts.add('revocations', { kind: 'access_token' });
  counts.add('introspections', { active: 'yes' });
  counts.add('replays', {});
  counts.add('faults', {});
  const facts = { issuer: bed.issuer, counts, startedAt: epoch(endsAt - days(1)), certificateEndsAt: endsAt };
  const text = await serverMetrics(facts);
  assert.match(text, /^tokeep_issuer_tokens_total\{grant="client_credentials"\} 2$/m);
  assert.match(text, /^tokeep_issuer_refusals_total\{endpoint="token",error="invalid_scope"\} 1$/m);
  assert.match(text, /^tokeep_issuer_faults_total 1$/m);
  assert.match(text, /^tokeep_issuer_certificate_expiry_seconds 1798761600$/m);
  assert.match(text, /^tokeep_issuer_keys\{state="signing"\} 1$/m);
  assert.match(text, /^tokeep_issuer_database_up 1$/m);

  const guide = await readFile(new URL('../../docs/issuer-server.md', import.meta.url), 'utf8');
  const shown = (line: string) => line.replace(/ .*/, '').replaceAll(/="[^"]*"/g, '');
  const ours = new Set(
    text
      .split('\n')
      .filter((line) => /^\w/.test(line))
      .map(shown),
  );
  const listed = new Set(guide.match(/`tokeep_issuer_\w+(\{[\w,]+\})?`/g)?.map((name) => name.slice(1, -1)));
  assert.deepEqual([...ours].toSorted(), [...listed].toSorted());
});

test('metrics come without a database, too, and say that it is away', async () => {
  await using bed = await serverBed();
  const gone = Object.assign(Object.create(bed.issuer) as typeof bed.issuer, {
    keys: async () => {
      throw new Error('away');
    },
  });
  const text = await serverMetrics({
    issuer: gone,
    counts: new ServerCounts(),
    startedAt: endsAt,
    certificateEndsAt: undefined,
  });
  assert.match(text, /^tokeep_issuer_database_up 0$/m);
  assert.doesNotMatch(text, /certificate|signing_since/);
});

test('a database that is away does not fill the log: every answer is counted, and some of them are told', async () => {
  const told: string[] = [];
  await using bed = await serverBed({ server: { log: { event: (name: string) => told.push(name) } } });
  bed.issuer.database.read = async () => {
    throw new Fault('state-busy', 'the database takes no more work');
  };
  const asked = Array.from({ length: 100 }, () =>
    post(bed.at('/token'), { client_id: 'client-a', client_secret: 'x' }),
  );
  assert.deepEqual([...new Set((await Promise.all(asked)).map(({ status }) => status))], [503]);
  assert.deepEqual(bed.server.counts.samples('faults'), [['', 100]]);
  const faults = told.filter((name) => name === 'unexpected-fault').length;
  assert.ok(faults >= 30 && faults < 60, `${faults}`);
});
