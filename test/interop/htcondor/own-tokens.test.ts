import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsIn } from './claims.ts';
import { Pool } from './pool.ts';
import { plainProvider, poolAudience } from './pool-config.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const pool = new Pool(told.root);

/** What a token of the pool's own issuer says of a user. */
function assertOwn(claims: Readonly<Record<string, unknown>>, user: string): void {
  assert.equal(claims['iss'], told.webPrefix);
  assert.equal(claims['sub'], user);
  assert.deepEqual(claims['aud'], [poolAudience]);
  assert.equal(claims['scope'], `condor:/READ condor:/WRITE read:/user/${user}`);
  assert.equal(claims['ver'], 'scitoken:2.0');
}

test('condor_submit asks for a token of the local issuer (LOCAL:), and it is there before the job is queued', async () => {
  const began = performance.now();
  const job = await pool.queued('bob', {
    script: 'cat $_CONDOR_CREDS/scitokens.use',
    lines: ['use_oauth_services = scitokens'],
  });
  assert.ok(performance.now() - began < 10_000, "not by the end of condor_submit's patience of 20 s");
  const text = await pool.result(job);
  assert.equal((JSON.parse(text) as { token_type?: string }).token_type?.toLowerCase() ?? 'bearer', 'bearer');
  assertOwn(claimsIn(text), 'bob');
});

test('a job transform gives jobs a token that did not ask for one', async () => {
  const job = await pool.queued('carol', {
    script: 'cat $_CONDOR_CREDS/scitokens.use',
    lines: ['+WantSciToken = True'],
  });
  assertOwn(claimsIn(await pool.result(job)), 'carol');
});

test('TOKEN_USE_JSON = False: the file is the bare token', async () => {
  const job = await pool.queued(
    'dave',
    { script: `cat $_CONDOR_CREDS/${plainProvider}.use`, lines: [`use_oauth_services = ${plainProvider}`] },
    { env: { _CONDOR_LOCAL_CREDMON_PROVIDER_NAME: plainProvider } },
  );
  const text = await pool.result(job);
  assert.match(text, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const claims = claimsIn(text);
  assert.deepEqual([claims['sub'], claims['wlcg.ver'], claims['ver']], ['dave', '1.0', undefined]);
});
