import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { Fault } from '../../src/fault/fault.ts';
import { Secret } from '../../src/token/secret.ts';
import { millis, seconds } from '../../src/token/time.ts';
import type { HttpRequest } from '../../src/world/http.ts';
import { beginNetwork, type Network, type NetworkOptions } from '../../src/world/network.ts';
import { FrameReader, frame, largestFrame } from '../../src/world/network-frames.ts';
import { readFromNetwork } from '../../src/world/network-messages.ts';
import { permissionFlags } from '../../src/world/network-process.ts';
import { hostileIssuer, json, silence } from '../peers/hostile-issuer.ts';
import { smtpSink } from '../peers/smtp-sink.ts';
import { httpContract } from './http-contract.ts';

const program = fileURLToPath(new URL('../../src/cli/tokeep-network.ts', import.meta.url));
const root = process.geteuid?.() === 0;
/** Who it is, where we may choose. */
const nobody = { uid: 65_534, gid: 65_534 };

interface Watched extends AsyncDisposable {
  readonly network: Network;
  /** Of the lives so far. */
  readonly pids: readonly number[];
  readonly reasons: readonly string[];
  /** The next life. */
  begun(): Promise<void>;
  ended(): Promise<void>;
}

async function watched(changes: Partial<NetworkOptions> = {}): Promise<Watched> {
  const pids: number[] = [];
  const reasons: string[] = [];
  let [begins, ends] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const network = beginNetwork({
    program,
    env: {},
    readable: [`${tmpdir()}/`],
    ...(root ? { user: nobody } : {}),
    onStart(pid) {
      pids.push(pid);
      begins.resolve();
      begins = Promise.withResolvers<void>();
    },
    onEnd({ reason }) {
      reasons.push(reason);
      ends.resolve();
      ends = Promise.withResolvers<void>();
    },
    ...changes,
  });
  await network.ready;
  return {
    network,
    pids,
    reasons,
    begun: () => begins.promise,
    ended: () => ends.promise,
    [Symbol.asyncDispose]: () => network.close(),
  };
}

const opened: Watched[] = [];
after(async () => {
  for (const one of opened) await one.network.close();
});

httpContract('in the network process', async (env) => {
  const one = await watched({ env });
  opened.push(one);
  return one.network.http;
});

const ask = (url: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url: new URL(url),
  body: 'a=b',
  timeout: millis(5_000),
  maxBytes: 64 * 1024,
  connection: 'pooled',
  ...changes,
});

const statusOf = (pid: number, key: string): string =>
  new RegExp(`^${key}:[ \\t]*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.trim() ?? 'unknown';

test('the network process is nobody, of no group, and has neither our environment nor our files', async () => {
  await using one = await watched({ env: { ...process.env, HTTPS_PROXY: 'http://me:canary@proxy.example' } });
  const [pid] = one.pids;
  assert.ok(pid !== undefined);
  const id = String(root ? nobody.uid : process.geteuid?.());
  assert.deepEqual(statusOf(pid, 'Uid').split('\t'), [id, id, id, id]);
  if (root) {
    assert.deepEqual(statusOf(pid, 'Gid').split('\t'), ['65534', '65534', '65534', '65534']);
    assert.equal(statusOf(pid, 'Groups'), '');
  }
  assert.equal(statusOf(pid, 'Umask'), '0077');
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .map((line) => line.split('=')[0]);
  assert.deepEqual(
    environment.filter((name) => name !== '' && !/^(NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/.test(name ?? '')),
    [],
  );
  assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /canary/);
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
});

test('the network process writes no file, starts no program, and reads no file but CAs and itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'network-'));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'secret'), 'x', { mode: 0o644 });
  try {
    await using one = await watched({ readable: [] });
    const result = await one.network.http.send(ask('https://127.0.0.1:1/', { caFile: join(folder, 'secret') }));
    assert.ok(result.kind === 'no-answer' && result.sent === 'no');
    assert.match(result.fault.message, /secret could not be read \(ERR_ACCESS_DENIED\)/);
    const flags = readFileSync(`/proc/${one.pids[0]}/cmdline`, 'utf8').split('\0');
    assert.ok(
      flags.includes('--permission') && !flags.some((flag) => /allow-(fs-write|child|worker|addons)/.test(flag)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a network process that is killed leaves what it was sending undecided, and the next one serves what had to wait', async () => {
  await using issuer = await hostileIssuer();
  await using one = await watched();
  const kill = () => process.kill(one.pids[0] as number, 'SIGKILL');
  issuer.script(() => kill());
  const ended = one.ended();
  const lost = await one.network.http.send(ask(issuer.tokenUrl));
  assert.ok(lost.kind === 'no-answer' && lost.sent === 'perhaps');
  assert.match(lost.fault.message, /the process for the network ended before it had an answer of http:\/\/127/);
  await ended;
  issuer.script(json(200, { a: 1 }));
  const next = await one.network.http.send(ask(issuer.tokenUrl));
  assert.equal(next.kind, 'answer');
  assert.deepEqual(one.reasons, ['killed by SIGKILL']);
  assert.equal(one.pids.length, 2);
  issuer.assertRequests(2);
});

test('what waits for a network process keeps to its time and its signal, and was not sent', async () => {
  await using one = await watched();
  const ended = one.ended();
  process.kill(one.pids[0] as number, 'SIGKILL');
  await ended;
  const breaker = new AbortController();
  const late = one.network.http.send(ask('http://127.0.0.1:9/', { timeout: millis(1) }));
  const broken = one.network.http.send(ask('http://127.0.0.1:9/', { signal: breaker.signal }));
  breaker.abort();
  for (const [result, words] of [
    [await late, /gave no complete answer within 0\.001 s/],
    [await broken, /was broken off on our side/],
  ] as const) {
    assert.ok(result.kind === 'no-answer' && result.sent === 'no');
    assert.match(result.fault.message, words);
  }
});

test('a closed network answers at once, and nothing was sent', async () => {
  await using issuer = await hostileIssuer();
  const one = await watched();
  issuer.script(silence);
  const underWay = one.network.http.send(ask(issuer.tokenUrl));
  while (issuer.requests.length === 0) await new Promise(setImmediate);
  await one.network.close();
  const result = await underWay;
  assert.ok(result.kind === 'no-answer' && result.sent === 'perhaps');
  const after = await one.network.http.send(ask(issuer.tokenUrl));
  assert.ok(after.kind === 'no-answer' && after.sent === 'no');
  assert.deepEqual(one.reasons, []);
});

/** A program in the place of the real one, which says something after it was asked. */
async function impostor(says: string): Promise<{ readonly result: string; readonly reason: string | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), 'network-'));
  try {
    chmodSync(folder, 0o755);
    const file = join(folder, 'impostor.mjs');
    writeFileSync(
      file,
      `import { Socket } from 'node:net';
      const pipe = new Socket({ fd: 3 });
      const frame = (text) => { const bytes = Buffer.from(text); const size = Buffer.alloc(4); size.writeUInt32BE(bytes.length); return Buffer.concat([size, bytes]); };
      const say = (message) => pipe.write(frame(JSON.stringify(message)));
      const answer = { kind: 'answer', id: 1, status: 200, headers: {}, body: 'ok' };
      say({ kind: 'ready' });
      pipe.on('data', (data) => { if (String(data).includes('"send"')) { ${says} } });
      pipe.on('end', () => process.exit(0));`,
      { mode: 0o644 },
    );
    await using one = await watched({ program: file });
    const ended = one.ended().then(() => 'ended');
    const result = await one.network.http.send(ask('http://127.0.0.1:9/', { timeout: seconds(20) }));
    if (result.kind === 'answer') return { result: `${result.status} ${result.body}`, reason: undefined };
    await ended;
    return { result: result.sent, reason: one.reasons[0] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a network process that was taken over can neither crash nor confuse us: what it must not say ends it', async () => {
  const nonsense = 'it said something that makes no sense';
  const unasked = 'it answered what it was not asked';
  assert.deepEqual(await impostor('say(answer)'), { result: '200 ok', reason: undefined });
  const cases = [
    ["pipe.write(frame('{'))", nonsense],
    ["pipe.write(frame('[[[[[[[['))", nonsense],
    ["pipe.write(frame('null'))", nonsense],
    ["pipe.write(Buffer.from('ffffffff00', 'hex'))", nonsense],
    ['say({ ...answer, extra: 1 })', nonsense],
    ['say({ ...answer, status: 1000 })', nonsense],
    ["say({ ...answer, headers: { 'A b': 'x' } })", nonsense],
    ["say({ ...answer, headers: { date: ['x'] } })", nonsense],
    ['say({ ...answer, id: 1.5 })', nonsense],
    ["say({ kind: 'no-answer', id: 1, sent: 'no', fault: { code: 'state-broken', message: 'x' } })", nonsense],
    ["say({ ...answer, body: 'x'.repeat(65 * 1024) })", unasked],
    ['say({ ...answer, id: 2 })', unasked],
    ["say({ kind: 'mailed', id: 1 })", unasked],
    ["say({ kind: 'ready' })", 'it began twice'],
    ['throw new Error("canary")', 'exit status 1'],
  ] as const;
  for (const [says, reason] of cases) assert.deepEqual(await impostor(says), { result: 'perhaps', reason }, says);
});

test('a network process that cannot start says why, without a word of its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'network-'));
  // Of a directory that is closed to it the process sees nothing.
  const closed = join(folder, 'program.mjs');
  try {
    writeFileSync(closed, 'canary', { mode: 0o644 });
    const cases = [
      ['/nonexistent/program.mjs', /does not start: exit status 1 \(MODULE_NOT_FOUND\)$/],
      ...(root ? [[closed, /does not start: exit status 1 \(MODULE_NOT_FOUND\)$/] as const] : []),
    ] as const;
    for (const [file, words] of cases) {
      await assert.rejects(watched({ program: file }), (fault: Fault) => {
        assert.equal(fault.code, 'config-invalid');
        assert.match(fault.message, words);
        return true;
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  await assert.rejects(watched({ user: { uid: 0, gid: 0 } }), /the network process is not to be root/);
});

test('mail goes through the network process, and so does the reason why it does not', async () => {
  await using sink = await smtpSink();
  await using one = await watched();
  const mail = {
    host: '127.0.0.1',
    port: sink.port,
    tls: 'none',
    login: { user: 'bot', password: new Secret('password', 'canary') },
    from: 'tokeep@example.org',
    to: ['ops@example.org'],
    subject: 'hello',
    text: 'it works\n',
  } as const;
  await one.network.mailer.send(mail);
  assert.match(sink.mails[0]?.data ?? '', /it works/);
  await assert.rejects(one.network.mailer.send({ ...mail, port: 1 }), (fault: Fault) => {
    assert.ok(fault instanceof Fault && fault.code === 'notify-failed');
    assert.match(fault.message, /no mail sent by 127\.0\.0\.1:1 to ops@example\.org: nothing listens/);
    assert.doesNotMatch(fault.message, /canary/);
    return true;
  });
});

test('a page of text is served by the network process, and by the next one at the same place', async () => {
  await using one = await watched();
  const server = await one.network.serveText({ host: '127.0.0.1', port: 0 }, async (path) => {
    if (path === '/broken') throw new Error('canary');
    return { status: 200, contentType: 'text/plain', body: `text of ${path}` };
  });
  const get = async (path: string) => {
    const answer = await fetch(`http://${server.address}${path}`, { headers: { connection: 'close' } });
    return `${answer.status} ${await answer.text()}`;
  };
  assert.equal(await get('/metrics?a=b'), '200 text of /metrics');
  assert.match(await get('/broken'), /^500 tokeep could not answer/);
  await assert.rejects(
    one.network.serveText({ host: '127.0.0.1', port: Number(server.address.split(':')[1]) }, async () => assert.fail()),
    { code: 'EADDRINUSE' },
  );
  const begun = one.begun();
  process.kill(one.pids[0] as number, 'SIGKILL');
  await begun;
  // What is asked later is done later: after this answer it listens again.
  await one.network.http.send(ask('http://127.0.0.1:1/'));
  assert.equal(await get('/metrics'), '200 text of /metrics');
  await server[Symbol.asyncDispose]();
  await assert.rejects(get('/metrics'));
});

test('no issuer can have the network process ended by how it answers', async () => {
  await using one = await watched();
  const answers = ['HTTP/1.1 000 X\r\n', 'HTTP/1.1 099 X\r\n', `HTTP/1.1 200 OK\r\n${'x'.repeat(12_000)}: y\r\n`];
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(`${answers.shift()}content-length: 2\r\n\r\n{}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    for (const status of [0, 99, 200]) {
      const answer = await one.network.http.send(ask(`http://127.0.0.1:${port}/`, { connection: 'fresh' }));
      assert.equal(answer.kind === 'answer' && answer.status, status);
    }
    assert.deepEqual(one.reasons, []);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('whoever asks for more pages at once than there are connections is told so, and ends nothing', async () => {
  await using one = await watched();
  const hold = Promise.withResolvers<void>();
  const text = { status: 200, contentType: 'text/plain', body: 'page' } as const;
  const server = await one.network.serveText({ host: '127.0.0.1', port: 0 }, async () => {
    await hold.promise;
    return text;
  });
  const [host = '', port] = server.address.split(':');
  const socket = connect(Number(port), host);
  let said = '';
  const all = Promise.withResolvers<void>();
  socket.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
    if (said.split('HTTP/1.1 ').length > 200) all.resolve();
  });
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200));
  // What is asked later has its answer later: by then all of them have been heard of.
  await one.network.http.send(ask('http://127.0.0.1:1/', { connection: 'fresh' }));
  hold.resolve();
  await Promise.race([all.promise, one.ended()]);
  assert.deepEqual(one.reasons, []);
  assert.match(said, /HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 500 /);
  socket.destroy();
});

/** A process with a network of its own, holding a file that it does not know of, as a supervisor may have left it. */
async function startParent(): Promise<{ readonly parent: ChildProcess; readonly pid: number }> {
  const source = `
    const { beginNetwork } = await import(${JSON.stringify(new URL('../../src/world/network.ts', import.meta.url).href)});
    const { closeInheritedFiles } = await import(${JSON.stringify(new URL('../../src/world/inherited-files.ts', import.meta.url).href)});
    closeInheritedFiles();
    const user = ${JSON.stringify(root ? nobody : null)};
    const network = beginNetwork({ program: ${JSON.stringify(program)}, env: {}, readable: [], ...(user === null ? {} : { user }),
      onStart: (pid) => console.log(pid), onEnd() {} });
    await network.ready;`;
  const held = openSync('/etc/hostname', 'r');
  const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
    // One far from the others is what Node overlooks.
    stdio: ['ignore', 'pipe', 'inherit', 'ignore', 'ignore', held, ...Array(60).fill('ignore'), held],
  });
  const [line] = (await once(parent.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { parent, pid: Number(line) };
}

test('the network process has none of the files that its parent was left with, and ends with it', async () => {
  const { parent, pid } = await startParent();
  try {
    const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    assert.ok(!files.includes('/etc/hostname'), files.join(' '));
    // The pipe, and what it says when it cannot start.
    assert.equal(files.filter((file) => file.startsWith('socket:')).length, 2);
  } finally {
    parent.kill('SIGKILL');
  }
  await once(parent, 'exit');
  const patience = performance.now() + 5_000;
  while (isThere(pid)) {
    assert.ok(performance.now() < patience, 'it is still there');
    await new Promise(setImmediate);
  }
});

function isThere(pid: number): boolean {
  try {
    return statusOf(pid, 'State').startsWith('Z') === false;
  } catch {
    return false;
  }
}

test('from Node 25 on the network process is allowed the network, which is a permission there', () => {
  assert.ok(!permissionFlags(['/etc/'], new Set()).includes('--allow-net'));
  assert.ok(permissionFlags(['/etc/'], new Set(['--allow-net'])).includes('--allow-net'));
});

test('messages survive any way in which the pipe cuts them up', () => {
  const message = fc.record({ kind: fc.string(), id: fc.nat(), text: fc.string({ unit: 'grapheme', maxLength: 300 }) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat({ max: 40 })), (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(frame));
      const reader = new FrameReader();
      const found: unknown[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        found.push(...reader.take(bytes.subarray(at, at + cut)));
        at += cut;
      }
      assert.deepEqual(found, JSON.parse(JSON.stringify(messages)));
    }),
  );
  const tooLong = Buffer.alloc(4);
  tooLong.writeUInt32BE(largestFrame + 1);
  assert.throws(() => new FrameReader().take(tooLong));
});

test('whatever the network process says is one of its messages or nothing', () => {
  const kinds = fc.constantFrom('ready', 'answer', 'no-answer', 'mailed', 'listening', 'question', '__proto__');
  const anything = fc.dictionary(fc.constantFrom('kind', 'id', 'status', 'headers', 'body', 'path'), fc.anything());
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.tuple(kinds, anything).map(([kind, rest]) => ({ ...rest, kind })),
      ),
      (said) => {
        const read = readFromNetwork(said);
        assert.ok(read === undefined || typeof read.kind === 'string');
      },
    ),
  );
});
