import { millis, seconds } from '../token/time.ts';
import { loadSendDatagram, type SendDatagram, unixAddress } from './datagram.ts';
import type { Processes } from './processes.ts';
import type { ServiceManager } from './service-manager.ts';

export interface ServiceManagerPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly processes: Processes;
  readonly pid: number;
  /** Called at most once, when there is a service manager and it cannot be told. */
  readonly warn: (reason: string) => void;
  /** Replaced in tests of the way without koffi. */
  readonly loadSender?: () => Promise<SendDatagram | undefined>;
}

/** sd_notify(3) over `NOTIFY_SOCKET`: through koffi, or the `systemd-notify` program where koffi is missing. */
export function realServiceManager(place: ServiceManagerPlace): ServiceManager {
  const { env } = place;
  const socket = env['NOTIFY_SOCKET'] ?? '';
  let sender: Promise<SendDatagram | undefined> | undefined;
  let warned = false;
  const warn = (reason: string) => {
    if (!warned) place.warn(reason);
    warned = true;
  };
  return {
    watchdogInterval: watchdogInterval(env, place.pid),
    async notify(lines) {
      if (socket === '') return;
      const said = messageOf(lines);
      sender ??= (place.loadSender ?? loadSendDatagram)();
      const send = await sender;
      const address = unixAddress(socket);
      if (send !== undefined && address !== undefined) {
        if (!send(address, said.join('\n'))) warn(`the socket ${socket} of the service manager takes nothing`);
        return;
      }
      const reason = await bySystemdNotify(place.processes, socket, said);
      if (reason !== undefined) warn(`koffi is not installed, and systemd-notify does not work: ${reason}`);
    },
  };
}

/** One assignment a line; a line break in a value would start another one. */
function messageOf(lines: Readonly<Record<string, string>>): readonly string[] {
  const all: Record<string, string> = { ...lines };
  // sd_notify(3) wants CLOCK_MONOTONIC with RELOADING, which is what hrtime reads.
  if ('RELOADING' in lines) all['MONOTONIC_USEC'] = String(process.hrtime.bigint() / 1000n);
  return Object.entries(all).map(([name, value]) => `${name}=${value.replace(/[\r\n]+/g, ' ')}`);
}

async function bySystemdNotify(
  processes: Processes,
  socket: string,
  said: readonly string[],
): Promise<string | undefined> {
  const end = await processes.run({
    file: '/usr/bin/systemd-notify',
    // Without it the program waits until the manager has read everything (systemd 246 and later).
    args: ['--no-block', ...said],
    env: { NOTIFY_SOCKET: socket },
    timeout: seconds(5),
    maxOutput: 4096,
  });
  if (end.kind === 'exited') return end.status === 0 ? undefined : `exit status ${end.status}`;
  return end.kind === 'not-started' ? `it did not start (${end.reason})` : end.kind;
}

/** Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises, if it is meant for this process. */
function watchdogInterval(env: ServiceManagerPlace['env'], pid: number): ServiceManager['watchdogInterval'] {
  const usec = Number(env['WATCHDOG_USEC']);
  const forUs = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === pid;
  return forUs && Number.isFinite(usec) && usec > 0 ? millis(usec / 2000) : undefined;
}
