/** AF_UNIX, SOCK_DGRAM with SOCK_CLOEXEC, and MSG_NOSIGNAL with MSG_DONTWAIT, as Linux has them on every processor Node runs on. */
const unix = 1;
const datagram = 2 | 0o2000000;
const atOnce = 0x4000 | 0x40;
/** What fits into `sun_path` (unix(7)), with the final NUL of a path. */
const longestName = 108;

/** `sockaddr_un` of a path, or of an abstract name written with `@` in front; undefined when it is neither, or too long. */
export function unixAddress(name: string): Buffer | undefined {
  const abstract = name.startsWith('@');
  if (!abstract && !name.startsWith('/')) return undefined;
  const bytes = abstract ? Buffer.from(`\0${name.slice(1)}`) : Buffer.from(`${name}\0`);
  if (bytes.length > longestName || bytes.length < 2) return undefined;
  const family = Buffer.alloc(2);
  if (littleEndian) family.writeUInt16LE(unix);
  else family.writeUInt16BE(unix);
  return Buffer.concat([family, bytes]);
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Sends one datagram to a unix socket without waiting; false when the receiver did not take it. */
export type SendDatagram = (address: Buffer, text: string) => boolean;

/**
 * Node has no unix datagram sockets, so that this goes to the C library through koffi. Loaded when it is first needed;
 * undefined where koffi is not installed (it is optional) or the C library goes by another name.
 */
export async function loadSendDatagram(): Promise<SendDatagram | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const socket = libc.func('int socket(int domain, int type, int protocol)');
    const sendto = libc.func(
      'intptr_t sendto(int fd, const uint8_t *bytes, size_t size, int flags, const uint8_t *address, uint32_t length)',
    );
    const close = libc.func('int close(int fd)');
    return (address, text) => {
      const fd: number = socket(unix, datagram, 0);
      if (fd < 0) return false;
      try {
        const bytes = Buffer.from(text);
        return Number(sendto(fd, bytes, bytes.length, atOnce, address, address.length)) === bytes.length;
      } finally {
        close(fd);
      }
    };
  } catch {
    return undefined;
  }
}
