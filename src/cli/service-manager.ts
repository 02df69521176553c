import { setTimeout as delay } from 'node:timers/promises';
import { asFault, Fault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';

type Send = (message: string) => Promise<void>;

/** Tells systemd how we are (sd_notify(3)). Where nobody asked to be told, every call does nothing. */
export interface ServiceManager {
  tell(...assignments: readonly string[]): Promise<void>;
  /** How often it wants to hear `WATCHDOG=1`, in milliseconds; undefined if it does not. */
  readonly watchdog: number | undefined;
}

export function serviceManager(world: World, log: Logger): ServiceManager {
  const { env } = world;
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return { tell: async () => {}, watchdog: undefined };
  let sender: Promise<Send> | undefined;
  let broken = false;
  return {
    async tell(...assignments) {
      if (broken) return;
      try {
        sender ??= senderFor(world, socket);
        await (await sender)(assignments.join('\n'));
      } catch (thrown) {
        broken = true;
        log.event('service-manager-unavailable', { reason: asFault(thrown, 'telling it').message });
      }
    },
    watchdog: watchdogInterval(env),
  };
}

function watchdogInterval(env: World['env']): number | undefined {
  const micros = Number(env['WATCHDOG_USEC']);
  const forUs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid);
  return forUs && micros > 0 ? micros / 1000 : undefined;
}

/** Node has no unix datagram sockets: the C library is called, or systemd's own helper where koffi is not installed. */
async function senderFor(world: World, socket: string): Promise<Send> {
  const koffi = await import('koffi').then(
    (module) => module.default,
    () => undefined,
  );
  return koffi === undefined ? throughHelper(world, socket) : throughLibrary(koffi, socket);
}

type Koffi = typeof import('koffi')['default'];
const unixFamily = 1;
/** SOCK_DGRAM | SOCK_CLOEXEC, MSG_NOSIGNAL of Linux. */
const datagram = 2 | 0o2000000;
const noSignal = 0x4000;
const withoutWaiting = 0x40;
/** A service manager that is busy gets this long; what is still not taken is let go, as the next beat says as much. */
const patience = { tries: 20, wait: 100 };

function throughLibrary(koffi: Koffi, path: string): Send {
  const library = koffi.load('libc.so.6');
  const open = library.func('int socket(int domain, int type, int protocol)');
  const send = library.func(
    'long sendto(int fd, void *bytes, size_t length, int flags, void *address, unsigned int size)',
  );
  const close = library.func('int close(int fd)');
  // sockaddr_un: the family, then the path; a leading @ stands for the NUL byte of an abstract name.
  const name = Buffer.from(path.replace(/^@/, '\0'));
  const family = Buffer.alloc(2);
  family.writeUInt16LE(unixFamily);
  const address = Buffer.concat([family, name, ...(path.startsWith('@') ? [] : [Buffer.alloc(1)])]);
  return async (message) => {
    const fd = open(unixFamily, datagram, 0) as number;
    if (fd < 0) throw new Fault('state-unsafe', 'no unix socket could be made');
    try {
      const bytes = Buffer.from(message);
      // A call that waited would stop everything else of this process with it.
      const flags = noSignal | withoutWaiting;
      for (let tries = 0; tries < patience.tries; tries += 1) {
        if (send(fd, bytes, bytes.length, flags, address, address.length) === bytes.length) return;
        if (koffi.errno() !== koffi.os.errno['EAGAIN'])
          throw new Fault('state-unsafe', `${path} does not take messages`);
        await delay(patience.wait);
      }
    } finally {
      close(fd);
    }
  };
}

/** Needs `NotifyAccess=all`, since the message comes from a child. */
function throughHelper({ processes }: World, socket: string): Send {
  return async (message) => {
    const end = await processes.run({
      file: '/usr/bin/systemd-notify',
      args: [`--pid=${process.pid}`, ...message.split('\n')],
      env: { NOTIFY_SOCKET: socket },
      timeout: seconds(5),
      maxOutput: 4096,
    });
    if (end.kind !== 'exited' || end.status !== 0) {
      throw new Fault('state-unsafe', 'neither koffi nor /usr/bin/systemd-notify could tell it');
    }
  };
}
