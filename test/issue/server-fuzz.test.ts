import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { readForm } from '../../src/serve/form.ts';
import { basic, post, type ServerBed, serverBed } from './server-bed.ts';

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A request as it stands, with whatever in it: `fetch` would refuse to send much of this. */
async function send(bed: ServerBed, path: string, body: Buffer | string, options: object = {}): Promise<Raw> {
  const { promise, resolve, reject } = Promise.withResolvers<Raw>();
  const { port } = new URL(bed.origin);
  const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false, ...options }, (response) => {
    let text = '';
    response.on('data', (part: Buffer) => {
      text += part;
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
  });
  sent.on('error', reject);
  sent.end(body);
  return await promise;
}

/** What every answer has to be, whatever was asked. */
function judge(answer: Raw, what: string): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.body}`);
  assert.doesNotMatch(answer.body, /\bat .*\.(ts|js)|node:|Error:|FST_/, what);
  const { error, error_description } = JSON.parse(answer.body) as Record<string, string>;
  assert.match(String(error), /^[a-z_]+$/, what);
  // RFC 6749 section 5.2.
  assert.match(String(error_description), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, what);
  assert.equal(answer.headers['cache-control'], 'no-store', what);
  assert.equal(answer.headers['access-control-allow-origin'], undefined, what);
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

test('ISS-19: whatever is sent to the endpoints the answer is a refusal in the shape of OAuth, never a fault', async () => {
  await using bed = await serverBed();
  const { id, secret } = await bed.client();
  const authorization = basic(id, secret);
  const asked = 'grant_type=client_credentials';
  const bodies: Record<string, readonly [Buffer | string, object?]> = {
    nothing: [''],
    'no type': [asked],
    json: [JSON.stringify({ grant_type: 'client_credentials' }), { headers: { 'content-type': 'application/json' } }],
    multipart: ['--x\r\n', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }],
    'a strange type': [asked, { headers: { 'content-type': '\u00ff/;;' } }],
    'a parameter twice': [`${asked}&${asked}`, { headers: { ...form, authorization } }],
    'a scope twice': [`${asked}&scope=a&scope=a`, { headers: { ...form, authorization } }],
    'an empty one twice': [`${asked}&scope=&scope=`, { headers: { ...form, authorization } }],
    'bad escapes': [`${asked}&scope=%zz`, { headers: { ...form, authorization } }],
    'escapes that are not utf-8': [`${asked}&scope=%ff%fe`, { headers: { ...form, authorization } }],
    'bytes that are not ascii': [Buffer.from([0x67, 0xff, 0x00, 0x3d]), { headers: { ...form, authorization } }],
    'a NUL in a scope': [`${asked}&scope=storage.read:/%00`, { headers: { ...form, authorization } }],
    'a quote in a scope': [`${asked}&scope=%22%5C`, { headers: { ...form, authorization } }],
    'letters outside ascii': [`${asked}&scope=storage.read:/%C3%A4%E2%80%AE`, { headers: { ...form, authorization } }],
    'a huge body': ['x='.padEnd(70_000, 'y'), { headers: { ...form, authorization } }],
    'many parameters': [
      Array.from({ length: 300 }, (_, n) => `p${n}=1`).join('&'),
      { headers: { ...form, authorization } },
    ],
    'many audiences': [
      `${asked}&audience=${Array.from({ length: 60 }, (_, n) => `https://a${n}.example.org`).join('+')}`,
      { headers: { ...form, authorization } },
    ],
    'a prototype': ['__proto__=1&constructor=2&grant_type=__proto__', { headers: { ...form, authorization } }],
    'broken basic': [asked, { headers: { ...form, authorization: 'Basic ====' } }],
    'basic without colon': [asked, { headers: { ...form, authorization: 'Basic YWJj' } }],
    'basic with nothing': [asked, { headers: { ...form, authorization: 'Basic Og==' } }],
    'basic of bytes': [
      asked,
      { headers: { ...form, authorization: `Basic ${Buffer.from([255, 254, 58, 0]).toString('base64')}` } },
    ],
    'an assertion of no type': [`${asked}&client_assertion=a.b.c`, { headers: form }],
  };
  for (const path of ['/token', '/introspect', '/revoke']) {
    for (const [what, [body, options]] of Object.entries(bodies)) {
      if (path !== '/token' && /scope|audiences|letters/.test(what) && !/twice/.test(what)) continue;
      judge(await send(bed, path, body, options), `${what} to ${path}`);
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await send(bed, `${path}?grant_type=client_credentials`, '', { method });
      assert.deepEqual([answer.status, answer.headers['allow']], [405, 'POST'], `${method} ${path}`);
    }
  }
  for (const path of ['/', '/token/', '/nothing', '/%zz', '/token%00', '/.well-known/../token', '//token']) {
    judge(await send(bed, path, asked, { headers: form }), path);
  }
  assert.equal((await post(bed.at('/token'), asked, { authorization })).status, 200);
});

test('ISS-19: random forms, escapes and headers never bring out a fault', async () => {
  await using bed = await serverBed();
  const { id, secret } = await bed.client();
  const name = fc.constantFrom(
    'grant_type',
    'scope',
    'audience',
    'resource',
    'client_id',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'token',
    '__proto__',
    '',
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.string(),
    fc.constantFrom(
      'client_credentials',
      '%',
      '+',
      '%00',
      'storage.read:/',
      'https://se.example.org',
      'https://wlcg.cern.ch/jwt/v1/any',
    ),
  );
  const bodies = fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((pairs) => pairs.map((pair) => pair.join('=')).join('&'));
  const authorization = fc.oneof(
    fc.constant(basic(id, secret)),
    fc.string().map((text) => `Basic ${Buffer.from(text).toString('base64')}`),
    fc.constant(undefined),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/token', '/introspect', '/revoke'),
      bodies,
      authorization,
      async (path, body, who) => {
        const answer = await send(bed, path, Buffer.from(body), {
          headers: who === undefined ? form : { ...form, authorization: who },
        });
        assert.ok(answer.status < 500, `${answer.status} ${answer.body}`);
        if (answer.status >= 400) judge(answer, body);
      },
    ),
    { numRuns: 120 },
  );
});

test('what a form encoder writes is read back, whatever the values are', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 })), (values) => {
      const answer = readForm(new URLSearchParams(values).toString());
      assert.ok(answer.kind === 'form');
      for (const [name, value] of Object.entries(values)) assert.equal(answer.form.one(name), value.toWellFormed());
    }),
  );
});

test('a request that never ends is ended, with words where there is somebody to hear them', async () => {
  await using bed = await serverBed();
  const port = Number(new URL(bed.origin).port);
  const open: Socket[] = [];
  const ended: Promise<unknown>[] = [];
  bed.server.app.server.on('connection', (socket) => ended.push(once(socket, 'close')));
  const raw = async (text: string): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(text));
    let heard = '';
    socket.on('data', (part) => {
      heard += part;
    });
    socket.on('end', () => resolve(heard));
    socket.on('error', () => {});
    open.push(socket);
    return await promise;
  };
  const [slow, garbage, endless] = await Promise.all([
    raw('POST /token HTTP/1.1\r\nhost: x\r\n'),
    raw('\u0016\u0003\u0001 this is TLS\r\n\r\n'),
    raw(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'y'.repeat(20_000)}\r\n\r\n`),
  ]);
  assert.match(slow, /^HTTP\/1.1 408 .*"the request took too long"/s);
  assert.match(garbage, /^HTTP\/1.1 400 .*"this is not a request"/s);
  assert.match(endless, /^HTTP\/1.1 431 .*"the headers are too large"/s);
  // None of them has closed its side: the server does not wait for that.
  await Promise.all(ended);
  for (const socket of open) socket.destroy();
});
