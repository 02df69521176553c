import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { freshPage, logInAtIssuer, openChromium } from '../../condor/web-chromium.ts';
import { claimsIn } from './claims.ts';
import { Pool, type User } from './pool.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const pool = new Pool(told.root);
let browser: Browser | undefined;
before(async () => {
  browser = await openChromium();
});
after(() => browser?.close());

/** Prints its token, then the next one that reaches it while it runs. */
const seesRenewal = `
first=$(cat $_CONDOR_CREDS/mytok.use); echo "$first"
for look in $(seq 240); do
  now=$(cat $_CONDOR_CREDS/mytok.use)
  [ "$now" = "$first" ] || { echo "$now"; exit 0; }
  sleep 0.5
done
exit 1`;

/** What the person does with the link that condor_submit printed. */
async function logIn(url: string, user: User, services: number): Promise<void> {
  assert.ok(browser !== undefined, 'run.ts sees to a Chromium');
  const page = await freshPage(browser);
  await page.goto(url);
  await page.getByRole('button', { name: `I am ${user}: go on` }).click();
  for (let one = 0; one < services; one += 1) {
    await page
      .getByRole('button', { name: /^Log in at/ })
      .first()
      .click();
    await logInAtIssuer(page, user, told.issuer);
  }
  const done = page.getByRole('heading', { name: 'All done: now submit again' });
  await done.waitFor().catch(async (why: Error) => {
    throw new Error(`${why.message}\n${page.url()}\n${await page.locator('body').innerText()}`);
  });
  await page.context().close();
}

test('submit, follow the link, log in, submit again: the job has a token, and gets the next one while it runs', async () => {
  const wish = {
    script: seesRenewal,
    lines: [
      ...['use_oauth_services = mytok', 'mytok_oauth_permissions = compute.read, storage.read:/'],
      'mytok_oauth_resource = https://data.example.org',
    ],
  };
  const asked = await pool.submit('alice', wish);
  assert.equal(asked.kind, 'visit');
  const url = asked.kind === 'visit' ? asked.url : '';
  assert.ok(url.startsWith(`${told.webPrefix}/key/`));
  await logIn(url, 'alice', 1);
  const job = await pool.queued('alice', wish);
  const [first, next] = (await pool.result(job, { within: 120 })).trim().split('\n').map(claimsIn);
  assert.deepEqual(
    [first?.['iss'], first?.['sub'], first?.['aud']],
    [told.issuer, 'alice', 'https://data.example.org'],
  );
  assert.deepEqual(new Set(String(first?.['scope']).split(' ')), new Set(['compute.read', 'storage.read:/']));
  assert.ok(Number(next?.['exp']) > Number(first?.['exp']));
  assert.deepEqual([next?.['sub'], next?.['aud'], next?.['scope']], [first?.['sub'], first?.['aud'], first?.['scope']]);
});

test('one link for two handles and another service: each login is its own, and the job has all three tokens', async () => {
  const wish = {
    script: 'for name in mytok_rd mytok_wr other; do cat $_CONDOR_CREDS/$name.use; echo; done',
    lines: [
      ...['use_oauth_services = mytok, other', 'mytok_oauth_permissions_rd = compute.read'],
      ...['mytok_oauth_permissions_wr = compute.create', 'other_oauth_permissions = compute.read'],
    ],
  };
  const asked = await pool.submit('rupert', wish);
  assert.equal(asked.kind, 'visit');
  await logIn(asked.kind === 'visit' ? asked.url : '', 'rupert', 3);
  const job = await pool.queued('rupert', wish);
  const [rd, wr, other] = (await pool.result(job)).trim().split('\n').filter(Boolean).map(claimsIn);
  assert.deepEqual(
    [rd?.['scope'], wr?.['scope'], other?.['client_id']],
    ['compute.read', 'compute.create', 'client-other.test'],
  );
});
