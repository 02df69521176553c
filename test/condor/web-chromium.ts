import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Undefined where there is none on this machine, which the tests say in one line. */
export async function openChromium(): Promise<Browser | undefined> {
  if (!existsSync(executablePath)) return undefined;
  // Pages of others name things elsewhere; nothing is looked for there.
  const near = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1';
  const quiet = [near, '--disable-quic', '--no-first-run', '--disable-background-networking'];
  return await chromium.launch({
    executablePath,
    args: ['--no-sandbox', ...quiet, '--disable-component-update', '--disable-sync'],
  });
}

/** A browser of its own, as far as cookies go. The certificate is one of a CA that it does not know. */
export async function freshPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return page;
}

/** A person at the issuer's own pages: name, any password, and "Continue" until they lead back. */
export async function logInAtIssuer(page: Page, login: string, issuer: string): Promise<void> {
  await page.waitForURL((url) => url.href.startsWith(issuer));
  for (let step = 0; step < 6 && page.url().startsWith(issuer); step += 1) {
    const name = page.locator('input[name=login]');
    if ((await name.count()) > 0) {
      await name.fill(login);
      await page.locator('input[name=password]').fill('any password');
    }
    await Promise.all([page.waitForEvent('framenavigated'), page.locator('button[type=submit]').first().click()]);
    await page.waitForLoadState();
  }
}
