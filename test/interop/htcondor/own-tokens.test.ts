import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsIn, claimsOf } from './claims.ts';
import { Pool } from './pool.ts';
import { domain, plainProvider, poolAudience } from './pool-config.ts';
import { storeLogin } from './stored-login.ts';
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

const printsIt = 'cat $_CONDOR_CREDS/scitokens.use';

test('condor_submit asks for a token of the local issuer (LOCAL:), and it is there before the job is queued', async () => {
  const began = performance.now();
  const job = await pool.queued('bob', { script: printsIt, lines: ['+WantSciToken = True'] });
  const took = performance.now() - began;
  assertOwn(claimsOf(pool.readUse('bob', 'scitokens')), 'bob');
  assert.ok(took < 10_000, `it took ${took} ms; condor_submit gives up after 20 s`);
  assert.equal((await pool.ad(job))['OAuthServicesNeeded'], 'scitokens', 'by the job transform alone');
  const text = await pool.result(job);
  assertOwn(claimsIn(text), 'bob');
  assert.ok(Number((JSON.parse(text) as { expires_in?: number }).expires_in) > 1000);
});

test('a job can name the service itself, beside one it has to log in to', async () => {
  await pool.queued('carol', { script: 'true' });
  await storeLogin(pool, told, 'carol');
  const lines = ['use_oauth_services = scitokens, mytok', '+WantSciToken = False'];
  const job = await pool.queued('carol', { script: `${printsIt}; echo; cat $_CONDOR_CREDS/mytok.use`, lines });
  const [own, theirs] = (await pool.result(job)).trim().split('\n').filter(Boolean).map(claimsIn);
  assertOwn(own ?? {}, 'carol');
  assert.equal(theirs?.['iss'], told.issuer);
});

test('TOKEN_USE_JSON = False: the file is the bare token, and the job transform that we ship sets BEARER_TOKEN_FILE to it', async () => {
  const job = await pool.queued(
    'dave',
    {
      script: `cat $_CONDOR_CREDS/${plainProvider}.use; cat "$BEARER_TOKEN_FILE"; echo $BEARER_TOKEN_FILE $_CONDOR_CREDS`,
      lines: [`+OAuthServicesNeeded = "${plainProvider}"`, 'environment = "ITS_OWN=stays"'],
    },
    { env: { _CONDOR_LOCAL_CREDMON_PROVIDER_NAME: plainProvider } },
  );
  const [bare = '', found, places = ''] = (await pool.result(job)).split('\n');
  const claims = claimsOf(bare);
  assert.deepEqual([claims['sub'], claims['wlcg.ver'], claims['ver']], ['dave', '1.0', undefined]);
  assert.equal(found, bare);
  const [file, directory] = places.split(' ');
  assert.equal(file, `${directory}/${plainProvider}.use`, 'the file that HTCondor replaces at each renewal');
  assert.match(String((await pool.ad(job))['Environment']), /ITS_OWN=stays/);
});

test('with the token of its job a job speaks to the schedd as its owner: the web login shows the keys', async () => {
  const ask = '_CONDOR_SEC_CLIENT_AUTHENTICATION_METHODS=SCITOKENS condor_ping -type SCHEDD -table READ WRITE';
  const job = await pool.queued(
    'victor',
    { script: `${ask} 2>&1`, lines: [`+OAuthServicesNeeded = "${plainProvider}"`] },
    { env: { _CONDOR_LOCAL_CREDMON_PROVIDER_NAME: plainProvider } },
  );
  const said = await pool.result(job);
  assert.match(said, new RegExp(`READ +SCITOKENS .* ALLOW victor@${domain}`));
  assert.doesNotMatch(said, /WRITE .*ALLOW/, 'its template gives compute.read alone');
});
