import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { addHealth } from '../../src/serve/health.ts';
import { createServer, listen, type ServerOptions, stop } from '../../src/serve/server.ts';
import { TlsFiles, type TlsPair } from '../../src/serve/tls-files.ts';
import { TrustedProxies } from '../../src/serve/trusted-proxies.ts';
import { epoch, millis, seconds } from '../../src/token/time.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realRandom } from '../../src/world/real-random.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';

async function running(
  options: Partial<ServerOptions> & { readonly proxies?: TrustedProxies } = {},
  routes: (app: FastifyInstance) => void = () => {},
) {
  const faults: unknown[] = [];
  const app = createServer({
    tls: undefined,
    proxies: new TrustedProxies([]),
    random: realRandom,
    onFault: (thrown) => faults.push(thrown),
    ...options,
  });
  routes(app);
  const { port } = await listen(app, { host: '127.0.0.1', port: 0 });
  return { app, faults, port, at: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => stop(app, millis(200)) };
}

test('a fault inside is answered in the shape of OAuth, without a trace of it, and told to whoever runs the server', async () => {
  await using server = await running({}, (app) => {
    app.get('/broken', async () => {
      throw new Error('secret detail of /etc/shadow');
    });
  });
  const response = await fetch(`${server.at}/broken`);
  const body = await response.text();
  assert.equal(response.status, 500);
  assert.deepEqual(Object.keys(JSON.parse(body)), ['error', 'error_description']);
  assert.doesNotMatch(body, /secret|shadow|\.ts/);
  assert.equal(server.faults.length, 1);
  for (const [name, value] of [
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
    ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
    ['referrer-policy', 'no-referrer'],
  ] as const) {
    assert.equal(response.headers.get(name), value);
  }
});

test('each request has an id of its own; that of a proxy is taken over, that of a stranger is not', async () => {
  const ids = async (proxies: TrustedProxies) => {
    await using server = await running({ proxies }, (app) => app.get('/id', async (request) => request.id));
    const get = async (id?: string) => {
      const response = await fetch(`${server.at}/id`, { headers: id === undefined ? {} : { 'x-request-id': id } });
      assert.equal(response.headers.get('x-request-id'), await response.text());
      return response.headers.get('x-request-id');
    };
    return [await get(), await get('from-outside'), await get('x'.repeat(100)), await get()];
  };
  const alone = await ids(new TrustedProxies([]));
  assert.equal(new Set(alone).size, 4);
  assert.ok(!alone.includes('from-outside'));
  const behind = await ids(new TrustedProxies(['127.0.0.1']));
  assert.equal(behind[1], 'from-outside');
  assert.notEqual(behind[2], 'x'.repeat(100));
});

test('MED-11: headers that say who somebody is are gone before any route sees them, unless a proxy of ours set them', async () => {
  const identity = {
    'x-forwarded-for': '1.2.3.4',
    'x-remote-user': 'root',
    'x-ssl-client-verify': 'SUCCESS',
    forwarded: 'for=1',
  };
  const seen = async (proxies: TrustedProxies) => {
    await using server = await running({ proxies }, (app) => {
      app.get('/', async ({ headers }) => Object.keys(identity).filter((name) => headers[name] !== undefined));
    });
    return await (await fetch(server.at, { headers: { ...identity, 'x-forwarded-proto': 'https' } })).json();
  };
  assert.deepEqual(await seen(new TrustedProxies([])), []);
  assert.deepEqual(await seen(new TrustedProxies(['10.0.0.1'])), []);
  assert.deepEqual(await seen(new TrustedProxies(['127.0.0.0/8'])), Object.keys(identity));
});

test('behind a proxy a request that came to it in the clear is refused', async () => {
  await using server = await running({ proxies: new TrustedProxies(['127.0.0.1']) }, (app) =>
    app.get('/', async () => 'here'),
  );
  const get = async (proto: string) => (await fetch(server.at, { headers: { 'x-forwarded-proto': proto } })).status;
  assert.deepEqual([await get('https'), await get('http')], [200, 403]);
  for (const proto of ['HTTP', 'http, https', 'https,http']) assert.equal(await get(proto), 403, proto);
});

test('health is ok or no, and a probe that fails is no', async () => {
  let ready = async () => true;
  await using server = await running({}, (app) => addHealth(app, { ready: () => ready() }));
  const ask = async (path: string) => {
    const response = await fetch(`${server.at}${path}`);
    return [response.status, await response.text()];
  };
  assert.deepEqual(
    [await ask('/healthz'), await ask('/readyz')],
    [
      [200, 'ok\n'],
      [200, 'ok\n'],
    ],
  );
  ready = async () => false;
  assert.deepEqual(
    [await ask('/healthz'), await ask('/readyz')],
    [
      [200, 'ok\n'],
      [503, 'no\n'],
    ],
  );
  ready = async () => {
    throw new Error('no database');
  };
  assert.deepEqual(await ask('/readyz'), [503, 'no\n']);
});

test('a stop lets what is under way end, takes nothing new, and does not wait for ever', async () => {
  const [slowIn, neverIn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const go = Promise.withResolvers<void>();
  const server = await running({}, (app) => {
    app.get('/slow', async () => {
      slowIn.resolve();
      await go.promise;
      return 'done';
    });
    app.get('/never', () => {
      neverIn.resolve();
      return new Promise(() => {});
    });
  });
  const slow = fetch(`${server.at}/slow`);
  const never = fetch(`${server.at}/never`);
  never.catch(() => {});
  await Promise.all([slowIn.promise, neverIn.promise]);
  const stopping = stop(server.app, millis(300));
  await assert.rejects(async () => {
    for (;;) await fetch(`${server.at}/slow`, { signal: AbortSignal.timeout(100) }).catch(refusedOnly);
  });
  go.resolve();
  assert.equal(await (await slow).text(), 'done');
  await stopping;
  await assert.rejects(() => never);
});

/** A connection that was taken before may still be answered 503; what matters is that none is taken any more. */
function refusedOnly(thrown: unknown): void {
  const cause = (thrown as { cause?: { code?: string } }).cause?.code;
  if (cause === 'ECONNREFUSED') throw thrown;
}

test('a request that comes in at the moment of a stop is answered, and its connection ends with it', async () => {
  let late: Response | undefined;
  const server = await running({}, (app) => {
    app.get('/late', async () => 'late');
    // The stop has begun, and the socket still listens.
    app.addHook('preClose', async () => {
      late = await fetch(`${server.at}/late`);
    });
  });
  await stop(server.app, millis(200));
  assert.equal(late?.status, 200);
  assert.equal(late.headers.get('connection'), 'close');
});

test('a port that is taken, and one that is for root only, are told in words', async () => {
  await using server = await running();
  const other = createServer({
    tls: undefined,
    proxies: new TrustedProxies([]),
    random: realRandom,
    onFault: () => {},
  });
  await assert.rejects(() => listen(other, { host: '127.0.0.1', port: server.port }), /another program listens there/);
  await other.close();
});

/** A certificate and a key as files that can be replaced, and the pair that is in use. */
async function pairOnDisk() {
  const ca = await throwAwayCa();
  const folder = await mkdtemp(join(tmpdir(), 'tokeep-tls-'));
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = async (what: 'cert' | 'key', from: string) => {
    await copyFile(from, `${paths[what]}.new`);
    await chmod(`${paths[what]}.new`, 0o600);
    await rename(`${paths[what]}.new`, paths[what]);
  };
  const made = await ca.certificate();
  await put('cert', made.certFile);
  await put('key', made.keyFile);
  const dispose = async () => {
    await rm(folder, { recursive: true });
    await ca.remove();
  };
  return { ca, paths, put, made, [Symbol.asyncDispose]: dispose };
}

async function served(port: number, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => resolve(socket));
  socket.on('error', reject);
  const { serialNumber } = (await promise).getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test('a certificate that is replaced is used for new connections, and a pair that does not fit never is', async () => {
  await using disk = await pairOnDisk();
  const files = await TlsFiles.open(realFiles, disk.paths);
  await using server = await running({ tls: files.pair });
  const ca = await readFile(disk.ca.caFile, 'utf8');
  const first = await served(server.port, ca);
  assert.deepEqual(await files.look(), { kind: 'unchanged' });
  const other = await disk.ca.certificate();
  await disk.put('cert', other.certFile);
  const between = await files.look();
  assert.equal(between.kind, 'kept');
  assert.match(between.kind === 'kept' ? between.reason : '', /they do not belong together/);
  assert.deepEqual(await files.look(), { kind: 'unchanged' }, 'said once');
  assert.equal(await served(server.port, ca), first);
  await disk.put('key', other.keyFile);
  const taken = await files.look();
  assert.ok(taken.kind === 'taken' && taken.expiresAt > epoch(Date.now() + seconds(86_400)));
  (server.app.server as unknown as { setSecureContext(pair: TlsPair): void }).setSecureContext(taken.pair);
  assert.notEqual(await served(server.port, ca), first);
});

test('a connection to a TLS server that begins no TLS, or something else, is ended', async () => {
  await using disk = await pairOnDisk();
  const { pair } = await TlsFiles.open(realFiles, disk.paths);
  await using server = await running({ tls: pair });
  const ended = async (text: string) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connectPlain(server.port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(seconds(8), () => socket.destroy());
    socket.on('timeout', () => resolve(false));
    for (const end of ['end', 'error', 'close']) socket.on(end, () => resolve(true));
    socket.resume();
    return await promise;
  };
  assert.deepEqual(await Promise.all([ended(''), ended('\x16\x03\x01'), ended('GET / HTTP/1.1\r\n\r\n')]), [
    true,
    true,
    true,
  ]);
  const left = Promise.withResolvers<number>();
  server.app.server.getConnections((_error, count) => left.resolve(count));
  assert.equal(await left.promise, 0);
});

test('a key that everybody may read, a file that is not there, and text that is no PEM are refused at the start', async () => {
  await using disk = await pairOnDisk();
  const open = () => TlsFiles.open(realFiles, disk.paths);
  await chmod(disk.paths.key, 0o604);
  await assert.rejects(open, /can be read by everybody/);
  await chmod(disk.paths.key, 0o640);
  await open();
  await disk.put('cert', disk.made.keyFile);
  await assert.rejects(open, /cannot be used/);
  await rm(disk.paths.cert);
  await assert.rejects(open, /there is no TLS certificate/);
});
