import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRequestFile } from '../../src/condor/request-file.ts';
import { foreign, html } from '../../src/condor/web/html.ts';
import { hours, minutes } from '../../src/token/time.ts';
import { realClock } from '../../src/world/real-clock.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { issuerFor, loginRequest, webBed } from './web-bed.ts';
import { Visitor } from './web-visitor.ts';

const issuer = 'https://issuer.example';

test('WEB-07: whatever is put into a page is text, and nothing in it is hidden or turned around', () => {
  const corpus: readonly (readonly [string, string])[] = [
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    [`"' onload=x`, '&quot;&#39; onload=x'],
    ['a\u202eb\u2066c\u200d', 'a[U+202E]b[U+2066]c[U+200D]'],
    ['a\u0000\n\u0085\u2028', 'a[U+0000][U+000A][U+0085][U+2028]'],
    ['\ud800x', '\ufffdx'],
    ['&lt;', '&amp;lt;'],
    ['\u3164\u00ad\ufeff', '[U+3164][U+00AD][U+FEFF]'],
    ['\u{e0041}', '[U+E0041]'],
    ['a\ufe0f\u{e0100}\u180b\u034f', 'a[U+FE0F][U+E0100][U+180B][U+034F]'],
  ];
  for (const [text, shown] of corpus) assert.equal(String(html`<p>${text}</p>`), `<p>${shown}</p>`);
  assert.equal(String(html`${[html`<b>${'<'}</b>`]}${undefined}${0}`), '<b>&lt;</b>0');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = String(html`${text}`);
      assert.doesNotMatch(shown, /[<>"'\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
  assert.equal([...foreign('\u{1f511}'.repeat(500), 20)].length, 20);
  assert.equal(foreign('short'), 'short');
});

test('WEB-03 and WEB-10: every page keeps itself to itself, and has no script', async () => {
  await using bed = await webBed();
  const visitor = new Visitor(bed);
  const { link } = await bed.ask([loginRequest(bed, issuer, 'mytok')]);
  const pages = [
    await visitor.get(link),
    await visitor.confirm(link),
    await visitor.get('/nowhere'),
    await visitor.get('/stopped/not-here'),
    await visitor.get(`/key/${'0'.repeat(64)}`),
    await visitor.get('/%ff'),
  ];
  const csp = (targets: string) =>
    `default-src 'none'; style-src 'self'; img-src 'self'; form-action ${targets}; base-uri 'none'; frame-ancestors 'none'`;
  for (const { headers, body } of pages) {
    assert.deepEqual(
      {
        csp: headers['content-security-policy'],
        type: headers['content-type'],
        cache: headers['cache-control'],
        sniff: headers['x-content-type-options'],
        referrer: headers['referrer-policy'],
        frame: headers['x-frame-options'],
        opener: headers['cross-origin-opener-policy'],
        https: headers['strict-transport-security'],
      },
      {
        csp: body.includes('action="/login/') ? csp("'self' https:") : csp("'self'"),
        type: 'text/html; charset=utf-8',
        cache: 'no-store',
        sniff: 'nosniff',
        referrer: 'no-referrer',
        frame: 'DENY',
        opener: 'same-origin',
        https: 'max-age=15552000',
      },
    );
    assert.doesNotMatch(
      body,
      /<script|<style| style=| on[a-z]+=|javascript:|https?:\/\/(?!issuer\.example|storage\.example)/,
    );
    assert.match(body, /<html lang="en">/);
  }
  assert.deepEqual(
    pages.map(({ status }) => status),
    [200, 200, 404, 403, 404, 400],
  );
});

test('WEB-01: the cookie is for this host alone, and the id that a browser has before it confirms is worth nothing after', async () => {
  await using bed = await webBed();
  const { link } = await bed.ask([loginRequest(bed, issuer, 'mytok')]);
  const visitor = new Visitor(bed);
  const { headers } = await visitor.get(link);
  assert.match(String(headers['set-cookie']), /^__Host-tokeep=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const before = visitor.id;
  await visitor.confirm(link);
  assert.notEqual(visitor.id, before);
  const fixed = new Visitor(bed);
  fixed.cookies.set('__Host-tokeep', before);
  assert.equal((await fixed.get('/')).status, 403);
  // What somebody else planted does not become a session either.
  const planted = new Visitor(bed);
  planted.cookies.set('__Host-tokeep', 'A'.repeat(43));
  await planted.confirm(link);
  assert.notEqual(planted.id, 'A'.repeat(43));
});

test('WEB-02: GET changes nothing, and a POST needs to come from a page of ours, with its token', async () => {
  await using bed = await webBed();
  const { link, key } = await bed.ask([loginRequest(bed, issuer, 'mytok')]);
  const preview = new Visitor(bed);
  for (const method of ['GET', 'HEAD'] as const) await bed.app.inject({ method, url: `/key/${key}` });
  assert.equal((await preview.get('/login/mytok')).location, '/');
  assert.deepEqual(await readdir(bed.directory), [key]);
  assert.deepEqual(await bed.database.read('SELECT * FROM web_session'), []);

  const matrix: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
    [{ origin: bed.origin }, true],
    [{ 'sec-fetch-site': 'cross-site', origin: bed.origin }, false],
    [{ 'sec-fetch-site': 'same-site', origin: bed.origin }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ origin: 'null' }, false],
    [{ origin: 'https://evil.example' }, false],
    [{ origin: `${bed.origin}.evil.example` }, false],
    [{ referer: `${bed.origin}/` }, false],
    [{}, false],
  ];
  for (const [headers, isTaken] of matrix) {
    const visitor = new Visitor(bed);
    const { status } = await visitor.press(await visitor.get(link), /\/key\//, headers);
    assert.equal(status, isTaken ? 303 : 403, JSON.stringify(headers));
  }
  const visitor = new Visitor(bed);
  const page = await visitor.get(link);
  const other = new Visitor(bed);
  await other.get(link);
  const token = /name="token" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
  const tries = [
    await visitor.post(link, {}),
    await visitor.post(link, { token: '' }),
    await visitor.post(link, { token: `${token}x` }),
    await other.post(link, { token }),
    await new Visitor(bed).post(link, { token }),
    await visitor.post('/leave', { token: 'x' }),
  ];
  assert.deepEqual(
    tries.map(({ status }) => status),
    tries.map(() => 403),
  );
  assert.equal((await visitor.post(link, { token })).status, 303);
  const json = await bed.app.inject({ method: 'POST', url: `/key/${key}`, payload: { token } });
  assert.equal(json.statusCode, 415);
  for (const method of ['PUT', 'DELETE', 'PATCH'] as const) {
    assert.equal((await bed.app.inject({ method, url: `/key/${key}` })).statusCode, 404);
  }
});

test('WEB-08: a session ends after half an hour without a visit, after twelve hours with them, and when it is left', async () => {
  const clock = new TestClock();
  await using bed = await webBed({ world: { clock } });
  const { link } = await bed.ask([loginRequest(bed, issuer, 'mytok')]);
  const visitor = new Visitor(bed);
  const isThere = async () => (await visitor.get('/')).status === 200;
  await visitor.confirm(link);
  clock.advance(minutes(29));
  assert.ok(await isThere());
  clock.advance(minutes(29));
  assert.ok(await isThere(), 'a visit keeps it');
  clock.advance(minutes(31));
  assert.ok(!(await isThere()));
  await visitor.confirm(link);
  for (let quarter = 0; quarter < 48; quarter += 1) {
    assert.ok(await isThere(), `after ${quarter} quarters`);
    clock.advance(minutes(15));
  }
  clock.advance(minutes(1));
  assert.ok(!(await isThere()), 'twelve hours are enough');
  const services = await visitor.confirm(link);
  const id = visitor.id;
  assert.equal((await visitor.press(services, '/leave')).location, '/stopped/left');
  visitor.cookies.set('__Host-tokeep', id);
  assert.ok(!(await isThere()), 'the server has forgotten it');
  clock.advance(hours(13));
  await visitor.confirm(link);
  assert.equal((await bed.database.read('SELECT * FROM web_session')).length, 1, 'what is over goes');
});

test('an authorization request has what was asked for, and proofs that are new each time', async () => {
  await using bed = await webBed();
  const request = loginRequest(bed, issuer, 'mytok', { handle: 'rd', authorizationUrl: `${issuer}/auth?realm=x` });
  const { link } = await bed.ask([request]);
  const visitor = new Visitor(bed);
  const services = await visitor.confirm(link);
  const seen = new Set<string>();
  for (let time = 0; time < 2; time += 1) {
    const { status, location } = await visitor.press(services, '/login/mytok%20rd');
    assert.equal(status, 303);
    const { origin, searchParams } = new URL(location);
    assert.equal(origin, issuer);
    const { state, nonce, code_challenge: challenge, ...rest } = Object.fromEntries(searchParams);
    for (const proof of [state, nonce, challenge]) {
      assert.match(proof ?? '', /^[\w-]{43}$/);
      assert.ok(!seen.has(proof ?? ''));
      seen.add(proof ?? '');
    }
    assert.deepEqual(rest, {
      realm: 'x',
      response_type: 'code',
      client_id: 'condor.test',
      redirect_uri: `${bed.prefix}/return/mytok`,
      scope: 'openid offline_access storage.read:/',
      resource: 'https://storage.example',
      code_challenge_method: 'S256',
      prompt: 'consent',
    });
  }
});

test('WEB-06: a state is for the browser that began, for one return, and for ten minutes', async () => {
  const clock = new TestClock(realClock.now());
  await using bed = await webBed({ world: { clock } });
  await using peer = await issuerFor(bed, ['mytok']);
  const { link } = await bed.ask([loginRequest(bed, peer.issuer, 'mytok')]);
  const alice = new Visitor(bed);
  const services = await alice.confirm(link);
  const back = await alice.toIssuerAndBack(services, '/login/mytok', 'alice@idp');
  // Somebody to whom the link was mailed, with a session of their own for the same request.
  const mallory = new Visitor(bed);
  await mallory.confirm(link);
  assert.equal((await mallory.get(back)).location, '/stopped/not-here');
  assert.equal((await new Visitor(bed).get(back)).location, '/stopped/no-session');
  const forged = new URL(back);
  forged.searchParams.set('state', 'x'.repeat(43));
  assert.equal((await alice.get(forged.href)).location, '/stopped/not-here');
  assert.equal((await alice.get(`${back}&code=another`)).location, '/stopped/not-here', 'twice is none');
  // None of them has used it up.
  assert.equal((await alice.get(back)).location, '/');
  assert.match((await alice.get('/')).body, /You are alice@idp there/, bed.log.join(''));
  assert.equal((await alice.get(back)).location, '/stopped/not-here', 'a second time');
  await rm(join(bed.directory, 'alice', 'mytok.top'));
  await writeFile(join(bed.directory, link.slice(-64)), formatRequestFile([loginRequest(bed, peer.issuer, 'mytok')]));
  const late = await alice.toIssuerAndBack(await alice.get('/'), '/login/mytok', 'alice@idp');
  clock.advance(minutes(10.1));
  assert.equal((await alice.get(late)).location, '/stopped/not-here', 'too late');
  assert.deepEqual(await readdir(join(bed.directory, 'alice')), []);
});

test('WEB-04 and WEB-05: whoever comes back from anywhere is sent to a page of ours, without what they brought', async () => {
  await using bed = await webBed({ path: '/tokens' });
  const { link } = await bed.ask([loginRequest(bed, issuer, 'mytok')]);
  const visitor = new Visitor(bed);
  const services = await visitor.confirm(link);
  const { searchParams } = new URL((await visitor.press(services, '/tokens/login/mytok')).location);
  const state = searchParams.get('state') ?? '';
  const corpus = [
    '',
    '?',
    '?code=c',
    `?code=c&state=x`,
    `?state=${state}&state=${state}&code=c`,
    `?error=access_denied&state=${state}`,
    '?code=c&state=x&redirect=https://evil.example&next=//evil.example&return_to=/\\evil.example',
    '?code=%00&state=%0d%0aLocation:%20https://evil.example',
  ];
  const places = ['return/mytok', 'return/x', 'return//evil.example', 'return/%2f%2fevil.example'];
  for (const query of corpus) {
    for (const place of places) {
      for (const who of [visitor, new Visitor(bed)]) {
        const { status, headers } = await who.get(`${bed.prefix}/${place}${query}`);
        if (status === 404) continue;
        assert.equal(status, 303, `${place}${query}`);
        assert.match(String(headers['location']), /^\/tokens\/(stopped\/[a-z-]+)?$/);
      }
    }
  }
  const token = /name="token" value="([^"]*)"/.exec(services.body)?.[1] ?? '';
  for (const name of ['https:%2f%2fevil.example', 'mytok%20', '..', 'x']) {
    assert.equal((await visitor.post(`${bed.prefix}/login/${name}`, { token })).status, 404, name);
  }
});

test('WEB-01: neither the database nor the log nor a page holds a token, a code or the client secret', async () => {
  await using bed = await webBed();
  await using peer = await issuerFor(bed, ['mytok']);
  const request = loginRequest(bed, peer.issuer, 'mytok');
  const { link } = await bed.ask([request]);
  const alice = new Visitor(bed);
  const back = await alice.toIssuerAndBack(await alice.confirm(link), '/login/mytok', 'alice@idp');
  await alice.get(back);
  const page = (await alice.get('/')).body;
  const top = JSON.parse(await readFile(join(bed.directory, 'alice', 'mytok.top'), 'utf8'));
  const code = new URL(back).searchParams.get('code') ?? '';
  const state = new URL(back).searchParams.get('state') ?? '';
  const tables = ['web_session', 'web_attempt', 'web_pin'];
  const rows = await Promise.all(tables.map((table) => bed.database.read(`SELECT * FROM ${table}`)));
  const stored = JSON.stringify(rows);
  for (const secret of [top.refresh_token, code, state, request.clientSecret.reveal(), alice.id]) {
    assert.ok(secret.length > 20);
    for (const text of [stored, bed.log.join(''), page]) assert.ok(!text.includes(secret));
  }
  assert.ok(
    bed.log.some((line) => /web-login: alice logged in for mytok from 127\.0\.0\.1 as alice@idp of http/.test(line)),
  );
});

test('the first login decides who may log in for a user; another is refused until an administrator allows it', async () => {
  await using bed = await webBed();
  await using peer = await issuerFor(bed, ['mytok']);
  const requests = [loginRequest(bed, peer.issuer, 'mytok')];
  const logIn = async (login: string) => {
    const { link } = await bed.ask(requests);
    const visitor = new Visitor(bed);
    await visitor.get(await visitor.toIssuerAndBack(await visitor.confirm(link), '/login/mytok', login));
    return (await visitor.get('/')).body;
  };
  const top = join(bed.directory, 'alice', 'mytok.top');
  assert.match(await logIn('alice@idp'), /You are alice@idp there/);
  const first = await readFile(top, 'utf8');
  await rm(top);
  const refused = await logIn('mallory@idp');
  assert.match(refused, /this was mallory@idp, and alice logged in here as somebody else before/);
  assert.doesNotMatch(refused, /alice@idp/, 'whose account it is, is not for mallory');
  assert.match(refused, /tokeep credmon logins allow alice mytok/);
  await assert.rejects(stat(top), { code: 'ENOENT' });
  assert.ok(bed.log.some((line) => line.includes('web-login-refused')));
  const [pin] = await bed.pins.all();
  assert.deepEqual([pin?.subject, pin?.refused?.subject, pin?.issuer], ['alice@idp', 'mallory@idp', peer.issuer]);
  assert.equal((await bed.pins.allow('alice', 'mytok'))?.subject, 'mallory@idp');
  assert.equal(await bed.pins.allow('alice', 'mytok'), undefined, 'once');
  assert.match(await logIn('mallory@idp'), /You are mallory@idp there/);
  assert.notEqual(await readFile(top, 'utf8'), first);
  await rm(top);
  assert.match(await logIn('alice@idp'), /this was alice@idp, and alice logged in here as somebody else before/);
  assert.ok(await bed.pins.forget('alice', 'mytok'));
  assert.match(await logIn('alice@idp'), /You are alice@idp there/);
});

test('what is in the way of a .top file is not written through', async () => {
  await using bed = await webBed();
  await using peer = await issuerFor(bed, ['mytok']);
  const { link } = await bed.ask([loginRequest(bed, peer.issuer, 'mytok')]);
  const elsewhere = join(bed.directory, '..', 'elsewhere');
  await mkdir(elsewhere);
  await symlink(elsewhere, join(bed.directory, 'alice'));
  const alice = new Visitor(bed);
  const services = await alice.confirm(link);
  await alice.get(await alice.toIssuerAndBack(services, '/login/mytok', 'alice@idp'));
  assert.match((await alice.get('/')).body, /alice is no directory; nothing is written through it/);
  assert.deepEqual(await readdir(elsewhere), []);
  await rm(join(bed.directory, 'alice'));
  await mkdir(join(bed.directory, 'alice'));
  await chmod(join(bed.directory, 'alice'), 0o2700);
  await symlink(join(elsewhere, 'planted'), join(bed.directory, 'alice', 'mytok.top'));
  // A link in place of the file counts as a login until it is gone: whoever may put one there owns the directory.
  assert.match((await alice.get('/')).body, /logged in, token on its way/);
  await rm(join(bed.directory, 'alice', 'mytok.top'));
  await alice.get(await alice.toIssuerAndBack(await alice.get('/'), '/login/mytok', 'alice@idp'));
  assert.deepEqual(await readdir(join(bed.directory, 'alice')), ['mytok.top']);
  assert.deepEqual(await readdir(elsewhere), []);
});

test('request files that are gone, odd, or for several users are pages with a way on', async () => {
  await using bed = await webBed();
  const visitor = new Visitor(bed);
  const unreadable = [
    [loginRequest(bed, issuer, 'mytok'), loginRequest(bed, issuer, 'other', { localUser: 'bob' })],
    [loginRequest(bed, issuer, 'mytok', { localUser: '..' })],
    [loginRequest(bed, issuer, 'my/tok')],
    [loginRequest(bed, 'http://issuer.example', 'mytok')],
    [loginRequest(bed, issuer, 'mytok', { authorizationUrl: 'javascript:alert(1)' })],
  ];
  for (const requests of unreadable) {
    const { link } = await bed.ask(requests);
    const { status, body } = await visitor.get(link);
    assert.equal(status, 500);
    assert.match(body, /This request cannot be read/);
  }
  assert.equal(bed.log.filter((line) => line.includes('web-request-unreadable')).length, unreadable.length);
  const key = 'a'.repeat(64);
  await symlink('/etc/passwd', join(bed.directory, key));
  await mkdir(join(bed.directory, 'b'.repeat(64)));
  for (const path of [key, 'b'.repeat(64)]) assert.equal((await visitor.get(`/key/${path}`)).status, 500);
  for (const path of ['pid', 'A'.repeat(64), '..%2fetc', 'c'.repeat(64), '0']) {
    const { status, body } = await visitor.get(`/key/${path}`);
    assert.equal(status, 404, path);
    assert.match(body, /This link is used up/);
  }
});

test('a credential directory that is out of reach is told to the log, and to people as something that passes', async () => {
  await using bed = await webBed();
  const visitor = new Visitor(bed);
  const { link } = await bed.ask([loginRequest(bed, issuer, 'mytok')]);
  await visitor.confirm(link);
  await rename(bed.directory, `${bed.directory}.away`);
  for (const [who, url] of [
    [new Visitor(bed), link],
    [visitor, '/'],
  ] as const) {
    const { status, body } = await who.get(url);
    assert.equal(status, 503);
    assert.match(body, /Not at the moment/);
  }
  assert.ok(bed.log.some((line) => /the credential directory .* is out of reach/.test(line)));
});

test('too many requests from one address are a page as well', async () => {
  await using bed = await webBed({ rate: { perSecond: 0.1, burst: 3 } });
  const visitor = new Visitor(bed);
  const seen = [];
  for (let time = 0; time < 5; time += 1) seen.push(await visitor.get('/stopped/left'));
  assert.deepEqual(
    seen.map(({ status }) => status),
    [200, 200, 200, 429, 429],
  );
  assert.match(seen[4]?.body ?? '', /Too many requests/);
  assert.ok(Number(seen[4]?.headers['retry-after']) >= 1);
});
