const longest = 2048;
/** Letters and digits, and at least one dot: a name of the DNS, as opposed to an address in any spelling, and to names of this machine. */
const publicName =
  /^(?!.*(?:^|\.)(?:localhost|local|internal)$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The parts of a URL as they stand in its text, none of them mended: a parser of URLs would turn `https:/\\127.1` into one. */
export interface PlainUrl {
  /** In lower case. */
  readonly host: string;
  /** Undefined where none is written. */
  readonly port: number | undefined;
  readonly path: string;
}

/**
 * Reads a URL that a user wrote: `https://host[:port]/path` and nothing else, so no user name, no query or fragment, no address instead of
 * a host name (MED-12), no `.`, `..` or empty segment, also not encoded. A text is the rest of a sentence that says why not.
 */
export function plainUrl(text: string): PlainUrl | string {
  if (text.length > longest) return 'is too long for a URL';
  const parts = /^https:\/\/([A-Za-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?((?:\/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)$/.exec(
    text,
  );
  if (parts === null) return 'is not of the form https://HOST:PORT/PATH';
  const [, name = '', digits, path = ''] = parts;
  const host = name.toLowerCase();
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && port > 65_535) return 'has a port that there is not';
  if (isAddress(host)) return 'has an address instead of the name of a host';
  if (unsafePath(path)) return 'has a path with empty, dotted or wrongly encoded parts';
  return { host, port, path };
}

/** Why nothing is sent to this URL out of a user's directory, as the rest of a sentence. */
export function unfitOutsideUrl(text: string): string | undefined {
  const url = plainUrl(text);
  if (typeof url === 'string') return url;
  return publicName.test(url.host) ? undefined : 'has a host that is not a full name of the DNS';
}

/** The last label of an address in any of its spellings (10.1, 0x7f.1, 2130706433) is a number. */
const isAddress = (host: string): boolean =>
  /^(?:[0-9]+|0x[0-9a-f]*)$/.test(host.replace(/\.$/, '').split('.').at(-1) ?? '');

function unsafePath(path: string): boolean {
  if (/%(?![0-9a-f]{2})/i.test(path) || /%(?:2e|2f|5c|25|[01][0-9a-f]|7f)/i.test(path)) return true;
  const [, ...segments] = path.replace(/\/$/, '').split('/');
  return segments.some((segment) => segment === '' || segment === '.' || segment === '..');
}
