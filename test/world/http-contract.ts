import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { millis } from '../../src/token/time.ts';
import type { Http, HttpNoAnswer, HttpRequest } from '../../src/world/http.ts';
import { connectProxy } from '../peers/connect-proxy.ts';
import {
  dropAfterHeaders,
  dropInBody,
  type HostileIssuer,
  hostileIssuer,
  hugeBody,
  json,
  neverEnding,
  packed,
  redirect,
  resetBeforeAnswer,
  type Step,
  silence,
  slowDrip,
} from '../peers/hostile-issuer.ts';
import { type ThrowAwayCa, throwAwayCa } from '../peers/throw-away-ca.ts';

const ask = (url: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url: new URL(url),
  body: 'a=b',
  timeout: millis(5_000),
  maxBytes: 64 * 1024,
  connection: 'pooled',
  ...changes,
});

/** Whoever carries out the requests may be another user. */
async function readableCa(): Promise<ThrowAwayCa> {
  const ca = await throwAwayCa();
  await chmod(ca.directory, 0o755);
  return ca;
}

type Env = Readonly<Record<string, string>>;

/** What every {@link Http} keeps to. */
export function httpContract(kind: string, open: (env: Env) => Http | Promise<Http>): void {
  let http: Http;
  before(async () => {
    http = await open({});
  });
  after(() => http.close());

  async function noAnswer(
    issuer: HostileIssuer,
    step: Step,
    changes: Partial<HttpRequest> = {},
  ): Promise<HttpNoAnswer> {
    const before = issuer.requests.length;
    issuer.script(step);
    const result = await http.send(ask(issuer.tokenUrl, changes));
    issuer.assertRequests(before + 1);
    assert.equal(result.kind, 'no-answer');
    return result as HttpNoAnswer;
  }

  test(`scenario 7: a request whose connection is cut off was sent once, and may have been done (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    for (const connection of ['fresh', 'pooled'] as const) {
      for (const step of [resetBeforeAnswer, dropAfterHeaders, dropInBody]) {
        const result = await noAnswer(issuer, step, { connection });
        assert.equal(result.fault.code, 'issuer-unreachable');
        assert.equal(result.sent, 'perhaps');
        assert.match(result.fault.message, /the connection was cut off/);
      }
    }
  });

  test(`scenario 7: a kept connection that the server closes is not a reason to send twice (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    issuer.script(json(200, {}), resetBeforeAnswer);
    assert.equal((await http.send(ask(issuer.tokenUrl))).kind, 'answer');
    assert.equal((await http.send(ask(issuer.tokenUrl))).kind, 'no-answer');
    issuer.assertRequests(2);
  });

  test(`scenario 27: an answer that drips, or never comes, ends with the total time (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    for (const step of [slowDrip, silence]) {
      const result = await noAnswer(issuer, step, { timeout: millis(150) });
      assert.equal(result.fault.code, 'issuer-timeout');
      assert.equal(result.sent, 'perhaps');
      assert.match(result.fault.message, /gave no complete answer within 0\.15 s/);
    }
  });

  test(`scenario 27: more bytes than allowed, an endless body, and a packed body are refused (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    for (const step of [hugeBody(100_000), neverEnding, packed]) {
      assert.equal((await noAnswer(issuer, step)).fault.code, 'issuer-nonsense');
    }
  });

  test(`scenario 27: a redirect is an answer, and is not followed (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    issuer.script(redirect(`${issuer.issuer}/elsewhere`));
    const result = await http.send(ask(issuer.tokenUrl));
    assert.equal(result.kind === 'answer' && result.status, 302);
    issuer.assertRequests(1);
  });

  test(`a signal breaks a request off, at once and before it begins (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    const breaker = new AbortController();
    issuer.script(() => breaker.abort());
    const result = await http.send(ask(issuer.tokenUrl, { signal: breaker.signal }));
    assert.equal(result.kind === 'no-answer' && result.sent, 'perhaps');
    const late = await http.send(ask(issuer.tokenUrl, { signal: breaker.signal }));
    assert.equal(late.kind === 'no-answer' && late.sent, 'no');
    issuer.assertRequests(1);
  });

  test(`scenario 29: a name that is not in DNS, and a port where nobody listens, are said in plain words; nothing was sent (${kind})`, async () => {
    const unknown = await http.send(ask('https://no-such-issuer.invalid/token'));
    assert.ok(unknown.kind === 'no-answer' && unknown.sent === 'no');
    assert.match(
      unknown.fault.message,
      /the name no-such-issuer\.invalid is not in DNS|DNS gives no answer for no-such-issuer\.invalid/,
    );
    const server: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const closed = await http.send(ask(`http://127.0.0.1:${port}/token`));
    assert.ok(closed.kind === 'no-answer' && closed.sent === 'no');
    assert.match(closed.fault.message, /nothing listens at 127\.0\.0\.1 port \d+ \(connection refused\)/);
  });

  test(`scenario 29: a host that swallows everything costs the total time and no more (${kind})`, async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody answers there.
    const begun = performance.now();
    const result = await http.send(ask('https://192.0.2.1/token', { timeout: millis(300) }));
    assert.ok(result.kind === 'no-answer' && result.sent === 'no');
    assert.match(result.fault.code, /^issuer-(timeout|unreachable)$/);
    assert.ok(performance.now() - begun < 2_000);
  });

  test(`plain http leaves this machine for nobody (${kind})`, async () => {
    for (const url of ['http://issuer.example/token', 'http://127.0.0.1.evil.example/token', 'ftp://127.0.0.1/token']) {
      const result = await http.send(ask(url));
      assert.ok(result.kind === 'no-answer' && result.sent === 'no');
      assert.match(result.fault.message, /https only/);
    }
  });

  test(`scenario 28: an expired certificate, one for another name, and another CA are refused, each by name, before anything is sent (${kind})`, async () => {
    await using ca = await readableCa();
    await using other = await readableCa();
    const cases = [
      [await ca.certificate({ validity: 'expired' }), ca.caFile, /its certificate has expired/],
      [await ca.certificate({ names: ['other.example'] }), ca.caFile, /its certificate is for another name/],
      [await ca.certificate(), other.caFile, /comes from a CA that is not trusted here/],
      [await ca.certificate(), undefined, /comes from a CA that is not trusted here/],
    ] as const;
    for (const [tls, caFile, words] of cases) {
      await using issuer = await hostileIssuer({ tls });
      for (const connection of ['fresh', 'pooled'] as const) {
        const result = await http.send(
          ask(issuer.tokenUrl, { connection, ...(caFile === undefined ? {} : { caFile }) }),
        );
        assert.ok(result.kind === 'no-answer');
        assert.equal(result.fault.code, 'issuer-tls');
        assert.match(result.fault.message, words);
        assert.equal(result.sent, 'no');
      }
      issuer.assertRequests(0);
    }
  });

  test(`scenario 28: a CA file that changes counts from then on; one that is missing is named (${kind})`, async () => {
    await using ca = await readableCa();
    await using other = await readableCa();
    await using issuer = await hostileIssuer({ tls: await ca.certificate() });
    issuer.always(json(200, {}));
    const caFile = join(ca.directory, 'trusted.pem');
    await copyFile(other.caFile, caFile);
    const send = () => http.send(ask(issuer.tokenUrl, { caFile }));
    assert.equal((await send()).kind, 'no-answer');
    await copyFile(ca.caFile, caFile);
    await utimes(caFile, 1, 1);
    const patience = performance.now() + 4_000;
    while ((await send()).kind !== 'answer') assert.ok(performance.now() < patience, 'the new CA was never read');
    const missing = await http.send(ask(issuer.tokenUrl, { caFile: join(ca.directory, 'missing.pem') }));
    assert.ok(missing.kind === 'no-answer' && missing.sent === 'no' && missing.fault.code === 'issuer-tls');
    assert.match(missing.fault.message, /the CA file .*missing\.pem could not be read \(ENOENT\)/);
  });

  test(`a CA file without a certificate is named (${kind})`, async () => {
    await using place = await readableCa();
    const caFile = join(place.directory, 'no-certificate.pem');
    await writeFile(caFile, 'nothing\n');
    const result = await http.send(ask('https://127.0.0.1:1/', { caFile }));
    assert.ok(result.kind === 'no-answer' && result.fault.code === 'issuer-tls');
    assert.match(result.fault.message, /the CA file .*no-certificate\.pem holds no certificate/);
  });

  test(`a CA file that is no plain file is not waited for (${kind})`, async () => {
    await using place = await readableCa();
    const fifo = join(place.directory, 'fifo');
    execFileSync('/usr/bin/mkfifo', [fifo]);
    const result = await http.send(ask('https://127.0.0.1:1/', { caFile: fifo }));
    assert.ok(result.kind === 'no-answer' && result.fault.code === 'issuer-tls');
    assert.match(result.fault.message, /the CA file .* could not be read \(not a plain file\)/);
  });

  test(`https goes through the proxy of the environment, unless NO_PROXY names the host (${kind})`, async () => {
    await using ca = await readableCa();
    await using issuer = await hostileIssuer({ tls: await ca.certificate() });
    await using proxy = await connectProxy('tunnels');
    issuer.always(json(200, {}));
    const port = new URL(issuer.issuer).port;
    for (const connection of ['fresh', 'pooled'] as const) {
      const proxied = await open({ HTTPS_PROXY: proxy.url });
      const result = await proxied.send(ask(issuer.tokenUrl, { caFile: ca.caFile, connection }));
      assert.equal(result.kind, 'answer', JSON.stringify(result));
      await proxied.close();
    }
    assert.deepEqual(proxy.targets, [`localhost:${port}`, `localhost:${port}`]);
    const direct = await open({ HTTPS_PROXY: proxy.url, NO_PROXY: 'localhost' });
    assert.equal((await direct.send(ask(issuer.tokenUrl, { caFile: ca.caFile }))).kind, 'answer');
    await direct.close();
    assert.equal(proxy.targets.length, 2);
  });

  test(`scenario 29: a proxy that wants a login is named as such; its own password is not (${kind})`, async () => {
    await using ca = await readableCa();
    await using issuer = await hostileIssuer({ tls: await ca.certificate() });
    await using proxy = await connectProxy('wants-login');
    const proxied = await open({ HTTPS_PROXY: proxy.url.replace('http://', 'http://someone:canary-proxy-password@') });
    const result = await proxied.send(ask(issuer.tokenUrl, { caFile: ca.caFile, connection: 'fresh' }));
    await proxied.close();
    assert.ok(result.kind === 'no-answer');
    assert.equal(result.fault.code, 'issuer-unreachable');
    assert.match(result.fault.message, /the proxy wants a login \(407\)/);
    assert.equal(result.sent, 'no');
    assert.doesNotMatch(String(result.fault.stack) + String(result.fault.cause), /canary/);
    issuer.assertRequests(0);
  });

  test(`plain http to loopback does not go through a proxy (${kind})`, async () => {
    await using issuer = await hostileIssuer();
    issuer.always(json(200, {}));
    const proxied = await open({ HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: 'http://127.0.0.1:1' });
    assert.equal((await proxied.send(ask(issuer.tokenUrl))).kind, 'answer');
    await proxied.close();
  });
}
