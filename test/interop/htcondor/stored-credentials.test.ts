import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsIn } from './claims.ts';
import { Pool } from './pool.ts';
import { robotService } from './pool-config.ts';
import { refreshTokenOf } from './stored-login.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const pool = new Pool(told.root);

test('client credentials: a stored .top is all it takes, and the job has a token of the robot', async () => {
  const { provider } = robotService;
  const stored = await pool.storeCred('erin', 'add-oauth', ['-s', provider, '-i', '-'], { input: '{}' });
  assert.equal(stored.status, 0, stored.stderr);
  const job = await pool.queued('erin', {
    script: `cat $_CONDOR_CREDS/${provider}.use`,
    lines: [`use_oauth_services = ${provider}`],
  });
  const claims = claimsIn(await pool.result(job));
  assert.equal(claims['sub'], robotService.id);
  assert.equal(claims['iss'], told.issuer);
  assert.equal(claims['scope'], 'compute.read');
});

test('two services with handles: each job has the tokens it named, and rights that were not stored so are refused to the letter', async () => {
  const rights = { rd: 'compute.read', wr: 'compute.create, compute.read' } as const;
  for (const [handle, scopes] of Object.entries(rights)) {
    const top = JSON.stringify({
      refresh_token: await refreshTokenOf(told, 'frank', { scope: scopes.replaceAll(',', '') }),
    });
    const options = ['-s', 'mytok', '-H', handle, '-S', scopes, '-i', '-'];
    const stored = await pool.storeCred('frank', 'add-oauth', options, { input: top });
    assert.equal(stored.status, 0, stored.stderr);
    assert.equal(
      (JSON.parse(pool.credential(`frank/mytok_${handle}.top`) ?? '{}') as { scopes?: string }).scopes,
      scopes,
    );
  }
  const other = JSON.stringify({ refresh_token: await refreshTokenOf(told, 'frank', { service: 'other' }) });
  assert.equal((await pool.storeCred('frank', 'add-oauth', ['-s', 'other', '-i', '-'], { input: other })).status, 0);

  const script = 'for name in mytok_rd mytok_wr other; do cat $_CONDOR_CREDS/$name.use; echo; done';
  const lines = (wr: string) => [
    ...['use_oauth_services = mytok, other', `mytok_oauth_permissions_rd = ${rights.rd}`],
    `mytok_oauth_permissions_wr = ${wr}`,
  ];
  const job = await pool.queued('frank', { script, lines: lines(rights.wr) });
  const [rd, wr, third] = (await pool.result(job)).trim().split('\n').filter(Boolean).map(claimsIn);
  assert.equal(rd?.['scope'], 'compute.read');
  assert.deepEqual(new Set(String(wr?.['scope']).split(' ')), new Set(['compute.read', 'compute.create']));
  assert.equal(third?.['client_id'], 'client-other.test');

  const refused = await pool.submit('frank', { script, lines: lines('compute.create,compute.read') });
  assert.equal(refused.kind, 'refused');
  assert.match(refused.kind === 'refused' ? refused.said : '', /do not match/);
});
