import { BlockList, isIP, isIPv6 } from 'node:net';
import { Fault } from '../fault/fault.ts';

/** Headers that say who somebody is. They count when a proxy of ours has set them, and are dropped otherwise (MED-11). */
const identityHeaders = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
  'x-remote-user',
  'x-forwarded-user',
  'x-ssl-client-cert',
  'x-ssl-client-dn',
  'x-ssl-client-verify',
] as const;

type Headers = Record<string, string | string[] | undefined>;

/** `unix-socket`: the server listens there and nowhere else, so that whoever may open it is a proxy of ours. */
export type Peers = 'network' | 'unix-socket';

/** The proxies whose word is taken for the address of a client: exactly those of a list, each an address or a network (`10.0.0.0/8`). */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #peers: Peers;
  readonly some: boolean;

  /** Throws Fault `config-invalid` for what is neither an address nor a network. */
  constructor(list: readonly string[], peers: Peers = 'network') {
    for (const entry of list) this.#add(entry);
    this.#peers = peers;
    this.some = list.length > 0 || peers === 'unix-socket';
  }

  has(address: string | undefined): boolean {
    // On the network an address is missing as well: that of a client which has hung up since.
    if (address === undefined) return this.#peers === 'unix-socket';
    if (!this.some) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The nearest address in front of our own proxies: X-Forwarded-For is read from its end, since everything before the first
   * stranger is what that stranger claims.
   */
  clientAddress(peer: string | undefined, forwardedFor: string | string[] | undefined): string {
    let client = plainAddress(peer ?? '');
    if (!this.has(peer) || forwardedFor === undefined) return client;
    const hops = String(forwardedFor).split(',');
    for (let hop = hops.pop()?.trim(); hop !== undefined && isIP(hop) !== 0; hop = hops.pop()?.trim()) {
      client = plainAddress(hop);
      if (!this.has(client)) break;
    }
    return client;
  }

  #add(entry: string): void {
    const [address = '', bits, ...more] = entry.split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (family === 0 || !fits || more.length > 0) {
      throw new Fault('config-invalid', `a trusted proxy is an address or a network, not ${JSON.stringify(entry)}`, {
        hint: 'for example 192.0.2.7, 10.1.0.0/16 or fd00::/8',
      });
    }
    const name = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) this.#list.addAddress(address, name);
    else this.#list.addSubnet(address, Number(bits), name);
  }
}

/** Takes out what only a proxy may say. */
export function dropIdentityHeaders(headers: Headers): void {
  for (const name of identityHeaders) if (name in headers) delete headers[name];
}

/** A server that listens on both families sees IPv4 as `::ffff:192.0.2.7`. */
const plainAddress = (address: string): string => (/^::ffff:[\d.]+$/i.test(address) ? address.slice(7) : address);

/**
 * Whom a limit counts as one: an IPv4 address, or the 64 bits of an IPv6 one that its network was given; whoever has these has 2^64 addresses
 * (RFC 4291 section 2.5.4).
 */
export function limitedAs(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [front, back] = [groups(head), groups(tail ?? '')];
  const between = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return `${[...front, ...between, ...back].slice(0, 4).join(':')}::/64`;
}
