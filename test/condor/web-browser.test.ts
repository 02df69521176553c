import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after as afterAll, before, test as testAnywhere } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { SessionTable } from '../../src/condor/web/session-table.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { after, hours } from '../../src/token/time.ts';
import { startIssuer } from '../peers/start-issuer.ts';
import { clientSecret, issuerFor, loginRequest, type WebBed, webBed } from './web-bed.ts';
import { freshPage, logInAtIssuer, openChromium } from './web-chromium.ts';

let found: Browser | undefined;
before(async () => {
  found = await openChromium();
  if (found === undefined) console.log('no /usr/bin/chromium here: the web login is not tried in a browser');
});
afterAll(async () => {
  await found?.close();
});

/** A test of what a browser does; passes over itself, in one line of the whole file, where there is none. */
const test = (name: string, body: (browser: Browser) => Promise<void>) =>
  testAnywhere(name, async () => {
    if (found !== undefined) await body(found);
  });

const main = (page: Page) => page.locator('main').innerText();

/** What the credmon does with a `.top`. */
async function makeUse(bed: WebBed, user: string, name: string): Promise<void> {
  await writeFile(join(bed.directory, user, `${name}.use`), '{}', { mode: 0o400 });
}

test('a whole login without JavaScript ends in a .top file and "submit again"', async (browser) => {
  await using bed = await webBed();
  await using issuer = await issuerFor(bed, ['mytok']);
  const { key, link } = await bed.ask([loginRequest(bed, issuer.issuer, 'mytok', { handle: 'rd' })]);
  const page = await freshPage(browser, { javaScriptEnabled: false });
  await page.goto(link);
  assert.match(await main(page), /The local user alice on ap\.example\.org asked for tokens/);
  await page.getByRole('button', { name: 'I am alice: go on' }).click();
  await page.getByRole('button', { name: /Log in at/ }).click();
  await logInAtIssuer(page, 'alice@idp', issuer.issuer);
  assert.equal(page.url(), `${bed.prefix}/`);
  assert.match(await main(page), /You are logged in everywhere/, bed.log.join(''));
  const top = join(bed.directory, 'alice', 'mytok_rd.top');
  const content = JSON.parse(await readFile(top, 'utf8'));
  assert.deepEqual(Object.keys(content), ['refresh_token', 'scopes', 'audience']);
  assert.equal(content.scopes, 'openid, offline_access, storage.read:/');
  assert.equal(content.audience, 'https://storage.example');
  assert.equal((await stat(top)).mode & 0o7777, 0o400);
  assert.equal((await stat(join(bed.directory, 'alice'))).mode & 0o7777, 0o2700);
  await assert.rejects(stat(join(bed.directory, key)), { code: 'ENOENT' });
  await makeUse(bed, 'alice', 'mytok_rd');
  await page.getByRole('heading', { name: 'All done: now submit again' }).waitFor();
  await page.context().close();
});

const looks = [
  { name: 'desktop', width: 960, height: 720, colorScheme: 'light' },
  { name: 'phone', width: 360, height: 740, colorScheme: 'dark' },
] as const;

/** No violation that axe knows, no sideways scrolling on a phone; with TOKEEP_SCREENSHOTS=DIR a picture of each page at each width. */
async function inspectPage(page: Page, name: string): Promise<void> {
  const directory = process.env['TOKEEP_SCREENSHOTS'];
  for (const { name: size, width, height, colorScheme } of looks) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    const axe = new AxeBuilder({ page });
    // What a page is made of is the same in both; what it looks like is not.
    if (colorScheme === 'dark') axe.withRules(['color-contrast', 'target-size']);
    const { violations } = await axe.analyze();
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    assert.deepEqual(told, [], `${name}, ${size}`);
    const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'));
    assert.ok(overflow <= 0, `${name} is ${overflow} px too wide at ${width}`);
    if (directory === undefined) continue;
    await mkdir(directory, { recursive: true });
    await page.screenshot({ path: join(directory, `${name}-${size}.png`), fullPage: true });
  }
}

/** The page that looks again by itself, held still. */
async function heldStill(page: Page, url: string): Promise<void> {
  await page.route(url, async (route) => {
    const response = await route.fetch();
    const { refresh, ...headers } = response.headers();
    assert.equal(refresh, '2');
    await route.fulfill({ response, headers });
  });
  await page.goto(url);
  await page.unroute(url);
}

test('WEB-09: every page is good for axe and for a phone, light and dark; the way through is by keyboard', async (browser) => {
  await using bed = await webBed();
  await using issuer = await issuerFor(bed, ['mytok', 'wlcg']);
  const { link } = await bed.ask([
    loginRequest(bed, issuer.issuer, 'mytok', { handle: 'rd' }),
    loginRequest(bed, issuer.issuer, 'wlcg', {
      scopes:
        'compute.create compute.read storage.modify:/atlas/very/long/path/without/any/blank/in/it/at/all my-scope',
      audience: '',
    }),
  ]);
  const page = await freshPage(browser);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.location().url.startsWith(bed.prefix)) complaints.push(message.text());
  });
  const button = async (name: RegExp) => {
    const wanted = page.getByRole('button', { name });
    for (let step = 0; step < 20 && (await wanted.and(page.locator(':focus')).count()) === 0; step += 1) {
      await page.keyboard.press('Tab');
    }
    await Promise.all([page.waitForEvent('framenavigated'), page.keyboard.press('Enter')]);
    await page.waitForLoadState();
  };
  await page.goto(link);
  await inspectPage(page, 'confirm');
  await button(/I am alice/);
  await inspectPage(page, 'services');
  await button(/Log in at .* for mytok, handle rd/);
  await logInAtIssuer(page, 'alice@idp', issuer.issuer);
  assert.match(await main(page), /1 of 2 logged in/);
  await makeUse(bed, 'alice', 'mytok_rd');
  await page.goto(`${bed.prefix}/`);
  await button(/Log in at .* for wlcg/);
  await page.getByText('Cancel').click();
  await page.waitForURL(`${bed.prefix}/`);
  assert.match(await main(page), /the login was declined/);
  await inspectPage(page, 'declined');
  await button(/Try again/);
  await logInAtIssuer(page, 'alice@idp', issuer.issuer);
  assert.match(await main(page), /You are logged in everywhere/, bed.log.join(''));
  await heldStill(page, `${bed.prefix}/`);
  await inspectPage(page, 'on-its-way');
  await makeUse(bed, 'alice', 'wlcg');
  await page.reload();
  assert.match(await main(page), /All done: now submit again/);
  await inspectPage(page, 'done');
  await button(/Leave/);
  await inspectPage(page, 'left');
  await page.goto(link);
  await inspectPage(page, 'used-up');
  const { link: odd } = await bed.ask([
    loginRequest(bed, issuer.issuer, 'mytok', { scopes: 'read:/\u202e\u0007<b>x</b>', localUser: 'bob' }),
  ]);
  await page.goto(odd);
  await inspectPage(page, 'odd');
  assert.deepEqual(
    complaints.filter((one) => !/status of (403|404)/.test(one)),
    [],
  );
  await page.context().close();
});

/** A picture for docs/, where TOKEEP_WRITE_DOCS asks for it. */
async function picture(page: Page, name: string, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 400 });
  if (process.env['TOKEEP_WRITE_DOCS'] === undefined) return;
  const path = fileURLToPath(new URL(`../../docs/images/${name}.png`, import.meta.url));
  await page.screenshot({ path, fullPage: true });
}

test('the pages of the guide: a link, two services, one of them refused, and the end', async (browser) => {
  await using bed = await webBed();
  const at = (host: string) => ({
    authorizationUrl: `https://${host}/authorize`,
    tokenUrl: `https://${host}/token`,
    returnUrl: `${bed.prefix}/return/x`,
  });
  const { link } = await bed.ask([
    loginRequest(bed, '', 'wlcg', {
      ...at('iam.example.org'),
      scopes: 'openid offline_access storage.read:/data storage.create:/data/alice',
      audience: 'https://storage.example.org',
    }),
    loginRequest(bed, '', 'box', { ...at('account.box.example'), handle: 'results', scopes: '', audience: '' }),
  ]);
  const page = await freshPage(browser);
  await page.goto(link);
  await picture(page, 'web-login-link', 720);
  await picture(page, 'web-login-link-phone', 360);
  await page.getByRole('button', { name: 'I am alice: go on' }).click();
  const { cookies } = await page.context().storageState();
  assert.deepEqual(
    cookies.map(({ name, httpOnly, secure, sameSite }) => [name, httpOnly, secure, sameSite]),
    [['__Host-tokeep', true, true, 'Lax']],
  );
  assert.equal(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length'), 0);
  const [row] = await bed.database.read('SELECT hash FROM web_session');
  const now = bed.world.clock.now();
  const sessions = new SessionTable(bed.database, bed.world);
  await mkdir(join(bed.directory, 'alice'));
  await writeFile(join(bed.directory, 'alice', 'wlcg.top'), '{}');
  await sessions.note(String(row?.['hash']), 'wlcg', (one) => ({
    ...one,
    last: { kind: 'logged-in', at: now, who: '5d1f8a3c-alice' },
  }));
  await sessions.note(String(row?.['hash']), 'box_results', (one) => ({
    ...one,
    last: {
      kind: 'refused',
      at: now,
      why: 'this was bob@box.example, and alice logged in here as somebody else before',
      hint: 'Log out at the issuer, and log in as the one you used before.',
    },
  }));
  await makeUse(bed, 'alice', 'wlcg');
  await page.goto(`${bed.prefix}/`);
  await inspectPage(page, 'refused');
  await page.emulateMedia({ colorScheme: 'light' });
  await picture(page, 'web-login-services', 720);
  await writeFile(join(bed.directory, 'alice', 'box_results.top'), '{}');
  await makeUse(bed, 'alice', 'box_results');
  await sessions.note(String(row?.['hash']), 'box_results', (one) => ({
    ...one,
    last: { kind: 'logged-in', at: now, unrenewable: { endsAt: after(now, hours(1)) } },
  }));
  await page.reload();
  await inspectPage(page, 'unrenewable');
  await page.emulateMedia({ colorScheme: 'light' });
  await picture(page, 'web-login-done', 720);
  await page.context().close();
});

test('somebody to whom the link was mailed does not get through with it', async (browser) => {
  await using site = await startIssuer();
  const clientId = 'site.test';
  const login = {
    kind: 'oidc',
    issuer: site.issuer as IssuerUrl,
    clientId,
    scope: 'openid',
    claim: 'sub',
    stripDomain: true,
    clientSecret: { kind: 'inline', secret: new Secret('client_secret', clientSecret) },
  } as const;
  await using bed = await webBed({ web: { login } });
  const known = { client_id: clientId, client_secret: clientSecret, grant_types: ['authorization_code'] };
  await site.restart({
    clients: [{ ...known, redirect_uris: [`${bed.prefix}/signed-in`], response_types: ['code'] }],
  });
  const { link } = await bed.ask([loginRequest(bed, 'https://iam.example.org', 'mytok')]);
  const signIn = async (page: Page, name: string) => {
    await page.goto(link);
    await page.getByRole('button', { name: /Log in at/ }).click();
    await logInAtIssuer(page, `${name}@site.example`, site.issuer);
    assert.equal(page.url(), link);
  };
  const page = await freshPage(browser);
  await page.goto(link);
  await inspectPage(page, 'sign-in');
  await signIn(page, 'mallory');
  assert.match(await main(page), /This request is not yours/);
  await inspectPage(page, 'not-yours');
  // Not for ever: it may be alice, with two accounts.
  await page.getByRole('button', { name: 'Log in as somebody else' }).click();
  await page.waitForURL(`${bed.prefix}/stopped/left`);
  await page.context().clearCookies({ domain: new URL(site.issuer).hostname });
  await signIn(page, 'alice');
  assert.match(await main(page), /You are logged in here as alice/);
  await inspectPage(page, 'signed-in');
  await page.context().close();
});
