import { isIPv4, isIPv6 } from 'node:net';
import { Fault } from '../fault/fault.ts';

export interface ListenPlace {
  readonly host: string;
  readonly port: number;
}

/** `[HOST:]PORT`, where HOST is an address or a name; 127.0.0.1 unless told. Throws Fault `usage`. */
export function listenPlace(text: string): ListenPlace {
  const parts = /^(?:(\[[0-9a-fA-F:]+\]|[^:\s]+):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535) {
    throw new Fault('usage', `the place to listen on is HOST:PORT, not ${JSON.stringify(text)}`, {
      hint: 'for example 127.0.0.1:8080 or [::]:443',
    });
  }
  return { host: (parts[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

export function isLoopback({ host }: ListenPlace): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** `host:port` as it stands in an address. */
export const placeText = ({ host, port }: ListenPlace): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** The Fault for what the system says when it does not let us listen. */
export function listenFault(place: ListenPlace, thrown: unknown): Fault {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens there',
    EACCES: 'that port is for root only',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return new Fault('config-invalid', `cannot listen on ${placeText(place)}: ${reasons[code] ?? code}`, {
    hint: 'choose another place: --listen, or TOKEEP_WEB_LISTEN of the web login',
  });
}
