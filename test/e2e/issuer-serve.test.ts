import assert from 'node:assert/strict';
import { copyFile, readFile, rename, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { notifySocket } from '../peers/notify-socket.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { type House, house } from './house.ts';

const url = 'https://tokens.example.org/vo';

/** A machine with an issuer and one client. */
async function issuerHouse(): Promise<{ readonly at: House; readonly secret: string }> {
  const at = await house();
  await at.file('tokeep.yaml', 'accounts: {}\n');
  const init = ['issuer', 'init', '--issuer', url, '--scope', 'storage.read:/', '--subject', '*'];
  const made = await at.run([...init, '--audience', 'https://*.example.org']);
  assert.equal(made.status, 0, made.stderr);
  const add = ['issuer', 'client', 'add', 'robot', '--id', 'client-robot', '--scope', 'storage.read:/'];
  const added = await at.run([...add, '--audience', 'https://se.example.org', '--secret-file', at.path('secret')]);
  assert.equal(added.status, 0, added.stderr);
  assert.equal(added.stdout, 'client_id client-robot\n');
  assert.equal((await stat(at.path('secret'))).mode & 0o777, 0o600);
  return { at, secret: (await at.read('secret')).trim() };
}

async function ask(address: string, secret: string): Promise<number> {
  const response = await fetch(`${address}/vo/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'client-robot', client_secret: secret }),
  });
  await response.text();
  return response.status;
}

test('the server runs under a service manager: it says when it is ready, takes over what others change, and stops with the heads of its audit log', async () => {
  await using ca = await throwAwayCa();
  setDefaultCACertificates([...getCACertificates(), await readFile(ca.caFile, 'utf8')]);
  const { at, secret } = await issuerHouse();
  await using _house = at;
  using manager = notifySocket();
  const put = async ({ certFile, keyFile }: { certFile: string; keyFile: string }) => {
    for (const [from, to] of [
      [keyFile, 'key.pem'],
      [certFile, 'cert.pem'],
    ] as const) {
      await copyFile(from, at.path(`${to}.new`));
      await rename(at.path(`${to}.new`), at.path(to));
    }
  };
  await put(await ca.certificate());
  const serve = ['issuer', 'serve', '--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0'];
  await using server = at.start([...serve, '--cert', at.path('cert.pem'), '--key', at.path('key.pem')], {
    env: { NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: '1500000' },
  });
  const started = await server.hears(/issuer-serving: .*/);
  const address = `https://localhost:${/127\.0\.0\.1:(\d+)/.exec(started)?.[1]}`;
  assert.equal(await ask(address, secret), 200);
  assert.equal(await ask(address, 'wrong'), 401);

  const metrics = /metrics are at (\S+)/.exec(server.said())?.[1] ?? '';
  const text = await (await fetch(metrics)).text();
  assert.match(text, /^tokeep_issuer_tokens_total\{grant="client_credentials"\} 1$/m);
  assert.match(text, /^tokeep_issuer_clients_refused_total\{reason="unknown_or_wrong"\} 1$/m);
  assert.match(text, /^tokeep_issuer_certificate_expiry_seconds \d+$/m);

  await put(await ca.certificate());
  const before = server.said().length;
  server.child.kill('SIGHUP');
  await server.hears(/certificate-taken: .*issuer-reloaded: /s, before);
  assert.equal(await ask(address, secret), 200);

  const removed = await at.run(['issuer', 'client', 'remove', 'client-robot']);
  assert.equal(removed.status, 0, removed.stderr);
  assert.equal(await ask(address, secret), 401);

  await server.hears(/audit-head: /);
  // A socket holds ten messages that nobody has read.
  manager.said();
  const told = server.said().length;
  const { status } = await server.end('SIGTERM');
  assert.equal(status, 0);
  assert.match(server.said().slice(told), /stopping: SIGTERM.*audit-head: .*stopped/s);
  const said = manager.said();
  assert.match(said, /READY=1\nSTATUS=serves https:\/\/tokens\.example\.org\/vo.*RELOADING=1.*READY=1.*STOPPING=1/s);
  assert.match(said, /WATCHDOG=1/);
  assert.ok(!at.heard.join('').includes(secret), 'the secret was not said');
});

test('a server that could be reached in the clear does not start, nor one with half a certificate or a proxy in words', async () => {
  const { at } = await issuerHouse();
  await using _house = at;
  const refused: readonly (readonly [readonly string[], RegExp, number])[] = [
    [['--listen', '0.0.0.0:0'], /can be reached from elsewhere, and there is no TLS/, 2],
    [['--listen', '127.0.0.1:0', '--cert', 'x.pem'], /--cert and --key go together/, 2],
    [['--cert', at.path('no.pem'), '--key', at.path('no.key')], /there is no TLS certificate/, 3],
    [['--behind-proxy', 'nginx'], /a trusted proxy is an address or a network/, 3],
    [['--listen', 'here'], /HOST:PORT/, 2],
    [['--client-rate', '0'], /number of requests/, 2],
  ];
  const answers = refused.map(async ([options, words, status]) => {
    const ran = await at.run(['issuer', 'serve', ...options]);
    assert.match(ran.stderr, words);
    assert.equal(ran.status, status, ran.stderr);
  });
  await Promise.all(answers);
});
