import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { issuerFor, loginRequest, webBed } from './web-bed.ts';
import { freshPage, logInAtIssuer, openChromium } from './web-chromium.ts';

let browser: Browser | undefined;
before(async () => {
  browser = await openChromium();
});
after(async () => {
  await browser?.close();
});

test('a whole login in a browser without JavaScript ends in a .top file and "submit again"', async () => {
  if (browser === undefined) return;
  await using bed = await webBed();
  await using issuer = await issuerFor(bed, ['mytok']);
  const { key, link } = await bed.ask([loginRequest(bed, issuer.issuer, 'mytok', { handle: 'rd' })]);
  const page = await freshPage(browser, { javaScriptEnabled: false });
  await page.goto(link);
  assert.match(await page.locator('main').innerText(), /The local user alice on ap\.example\.org asked for tokens/);
  await page.getByRole('button', { name: 'I am alice: go on' }).click();
  await page.getByRole('button', { name: /Log in at/ }).click();
  await logInAtIssuer(page, 'alice@idp', issuer.issuer);
  assert.equal(page.url(), `${bed.prefix}/`);
  assert.match(await page.locator('main').innerText(), /You are logged in everywhere/, bed.log.join(''));
  const top = join(bed.directory, 'alice', 'mytok_rd.top');
  const content = JSON.parse(await readFile(top, 'utf8'));
  assert.equal(content.scopes, 'openid, offline_access, storage.read:/');
  assert.equal(content.audience, 'https://storage.example');
  assert.equal((await stat(top)).mode & 0o7777, 0o400);
  assert.equal((await stat(join(bed.directory, 'alice'))).mode & 0o7777, 0o2700);
  await assert.rejects(stat(join(bed.directory, key)), { code: 'ENOENT' });
  await writeFile(join(bed.directory, 'alice', 'mytok_rd.use'), '{}');
  await page.getByRole('heading', { name: 'All done: now submit again' }).waitFor();
  await page.context().close();
});
