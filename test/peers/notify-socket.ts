import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import koffi from 'koffi';
import { unixAddress } from '../../src/world/datagram.ts';

/** The service manager's end of NOTIFY_SOCKET. */
export function notifySocket() {
  const libc = koffi.load('libc.so.6');
  const name = `@tokeep-e2e-${randomUUID()}`;
  const address = unixAddress(name);
  assert.ok(address !== undefined);
  const fd: number = libc.func('int socket(int domain, int type, int protocol)')(1, 2, 0);
  assert.equal(libc.func('int bind(int fd, const uint8_t *address, uint32_t length)')(fd, address, address.length), 0);
  const recv = libc.func('intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)');
  const close = libc.func('int close(int fd)');
  const said: string[] = [];
  return {
    name,
    /** All that arrived until now. */
    said(): string {
      for (;;) {
        const bytes = Buffer.alloc(4096);
        const size = Number(recv(fd, bytes, bytes.length, 0x40));
        if (size < 0) return said.join('\n');
        said.push(bytes.toString('utf8', 0, size));
      }
    },
    [Symbol.dispose]: () => void close(fd),
  };
}
