import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import koffi from 'koffi';
import { millis } from '../../src/token/time.ts';
import { unixAddress } from '../../src/world/datagram.ts';
import { realProcesses } from '../../src/world/real-processes.ts';
import { realServiceManager, type ServiceManagerPlace } from '../../src/world/real-service-manager.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)');
const recv = libc.func('intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)');
const close = libc.func('int close(int fd)');

/** A NOTIFY_SOCKET of our own, as systemd makes it. */
function receiver(name: string) {
  const address = unixAddress(name);
  assert.ok(address !== undefined);
  const fd: number = socket(1, 2, 0);
  assert.equal(bind(fd, address, address.length), 0);
  return {
    /** What has arrived; datagrams of this machine are there when the sender has returned. */
    next(): string | undefined {
      const bytes = Buffer.alloc(4096);
      const size = Number(recv(fd, bytes, bytes.length, 0x40));
      return size < 0 ? undefined : bytes.toString('utf8', 0, size);
    },
    [Symbol.dispose]: () => close(fd),
  };
}

function manager(name: string, more: Partial<ServiceManagerPlace> = {}) {
  const warnings: string[] = [];
  const place = {
    env: { NOTIFY_SOCKET: name },
    processes: realProcesses,
    pid: 7,
    warn: (reason: string) => warnings.push(reason),
    ...more,
  };
  return { manager: realServiceManager(place), warnings };
}

async function socketPath() {
  const folder = await mkdtemp(join(tmpdir(), 'tokeep-notify-'));
  return { path: join(folder, 'notify'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test('the service manager is told over its socket, be it a file or an abstract name', async () => {
  await using folder = await socketPath();
  for (const name of [folder.path, `@tokeep-${randomUUID()}`]) {
    using inbox = receiver(name);
    const { manager: told, warnings } = manager(name);
    await told.notify({ READY: '1', STATUS: 'keeps 3 tokens\nX=1' });
    assert.equal(inbox.next(), 'READY=1\nSTATUS=keeps 3 tokens X=1');
    await told.notify({ WATCHDOG: '1' });
    assert.equal(inbox.next(), 'WATCHDOG=1');
    await told.notify({ RELOADING: '1' });
    assert.match(inbox.next() ?? '', /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    assert.equal(inbox.next(), undefined);
    assert.deepEqual(warnings, []);
  }
});

test('without koffi the systemd-notify program does it, or one warning says why it does not', async (t) => {
  await using folder = await socketPath();
  using inbox = receiver(folder.path);
  const { manager: told, warnings } = manager(folder.path, { loadSender: async () => undefined });
  await told.notify({ READY: '1' });
  await told.notify({ STATUS: 'two words' });
  if (warnings.length > 0) {
    t.diagnostic(`no systemd-notify on this machine: ${warnings}`);
    assert.equal(warnings.length, 1);
    return;
  }
  assert.match(inbox.next() ?? '', /^READY=1/);
  const rest: string[] = [];
  for (let said = inbox.next(); said !== undefined; said = inbox.next()) rest.push(said);
  assert.ok(
    rest.some((said) => said.startsWith('STATUS=two words')),
    rest.join('|'),
  );
});

test('a socket that nobody reads gives one warning and no fault; no service manager gives nothing', async () => {
  const { manager: told, warnings } = manager('/nowhere/notify');
  await told.notify({ READY: '1' });
  await told.notify({ WATCHDOG: '1' });
  assert.deepEqual(warnings, ['the socket /nowhere/notify of the service manager takes nothing']);
  const alone = manager('', { env: {} });
  await alone.manager.notify({ READY: '1' });
  assert.deepEqual(alone.warnings, []);
  assert.equal(alone.manager.watchdogInterval, undefined);
});

test('the watchdog is fed twice as often as it asks for, if it watches this process', () => {
  const interval = (env: Record<string, string>) => manager('', { env }).manager.watchdogInterval;
  assert.equal(interval({ WATCHDOG_USEC: '60000000' }), millis(30_000));
  assert.equal(interval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }), millis(30_000));
  assert.equal(interval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }), undefined);
  assert.equal(interval({ WATCHDOG_USEC: 'x' }), undefined);
});

test('only names that fit into a socket address are taken', () => {
  assert.equal(unixAddress('vsock:2:1'), undefined);
  assert.equal(unixAddress(`/${'x'.repeat(107)}`), undefined);
  assert.equal(unixAddress(`/${'x'.repeat(106)}`)?.length, 110);
  assert.equal(unixAddress('@a')?.toString('latin1').slice(2), '\0a');
});
