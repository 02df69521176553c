import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool } from './pool.ts';
import { surroundings } from './surroundings.ts';

const pool = new Pool(surroundings().root);

test('x', async () => {
  const job = await pool.queued('alice', { script: 'id; env; echo hello' });
  console.log(await pool.result(job));
  const s = await pool.submit('alice', { script: 'id; env; echo hello', lines: ['use_oauth_services = mytok'] });
  console.log(s);
  const t = performance.now();
  const l = await pool.submit('alice', {
    script: 'ls -la $_CONDOR_CREDS; cat $_CONDOR_CREDS/*; echo hello',
    lines: ['use_oauth_services = scitokens'],
  });
  console.log(l, performance.now() - t);
  if (l.kind === 'queued') console.log(await pool.result(l.job), await pool.ad(l.job));
});
