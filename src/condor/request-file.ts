import { type ClientSecret, Secret } from '../token/secret.ts';

/** What condor_credd asks a person to log in for: one ad of a request file. Texts are as asked, to the byte; empty where nothing was asked. */
export interface LoginRequest {
  readonly provider: string;
  readonly handle?: string;
  readonly scopes: string;
  readonly audience: string;
  readonly clientId: string;
  readonly clientSecret: ClientSecret;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly returnUrl: string;
  /** The owner of the job, without `@domain`. */
  readonly localUser: string;
}

export type RequestFile =
  | { readonly kind: 'requests'; readonly requests: readonly LoginRequest[] }
  /** `why` goes on after "the request file": a sentence for people. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** 32 random bytes in hex, as in `<prefix>/key/<name>`. */
export const isRequestFileName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

export const largestRequestFile = 1024 * 1024;

type Ad = ReadonlyMap<string, string>;

/**
 * Reads a request file: ads in the old ClassAd syntax, separated by blank lines. Strict, since scopes and audience are what a
 * user typed and condor_credd prints them as they are, line ends included: whatever could have been slipped in that way makes the
 * whole file unreadable, rather than its client secret go to another place.
 */
export function parseRequestFile(bytes: Uint8Array): RequestFile {
  if (bytes.length > largestRequestFile) return unreadable('is larger than 1 MiB');
  const text = textOf(bytes);
  if (text === undefined) return unreadable('is not UTF-8');
  const requests: LoginRequest[] = [];
  for (const block of text.split(/\n{2,}/)) {
    const lines = block.split('\n').filter((line) => line !== '');
    if (lines.length === 0) continue;
    const ad = parseAd(lines);
    if (typeof ad === 'string') return unreadable(ad);
    const request = requestOf(ad);
    if (typeof request === 'string') return unreadable(request);
    requests.push(request);
  }
  return requests.length === 0 ? unreadable('is empty') : { kind: 'requests', requests };
}

/** A request file as condor_credd writes it. */
export function formatRequestFile(requests: readonly LoginRequest[]): string {
  return requests.map(formatAd).join('\n');
}

const unreadable = (why: string): RequestFile => ({ kind: 'unreadable', why });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Attribute names in lower case, as ClassAds compare them; or a reason. */
function parseAd(lines: readonly string[]): Ad | string {
  const ad = new Map<string, string>();
  for (const line of lines) {
    const [, name, literal] = /^([A-Za-z_][A-Za-z0-9_]*) = (.*)$/s.exec(line) ?? [];
    if (name === undefined || literal === undefined) return 'has a line that is no attribute';
    const value = stringOf(literal);
    if (value === undefined) return `has a value that is no string: ${name}`;
    if (ad.has(name.toLowerCase())) return `names ${name} twice`;
    ad.set(name.toLowerCase(), value);
  }
  return ad;
}

/**
 * In the old syntax a backslash stands for itself, except before a quotation mark that does not end the line (HTCondor 23.9.6 and
 * later print and read it so). Numbers and truth values are no attributes of ours.
 */
function stringOf(literal: string): string | undefined {
  if (/^(?:true|false|-?[0-9]+)$/.test(literal)) return literal;
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined;
  const quoted = literal.slice(1, -1);
  return /(?<!\\)"/.test(quoted) ? undefined : quoted.replaceAll('\\"', '"');
}

const wanted = [
  'Provider',
  'Scopes',
  'Audience',
  'ClientId',
  'ClientSecret',
  'AuthorizationUrl',
  'TokenUrl',
  'ReturnUrl',
  'LocalUser',
] as const;

function requestOf(ad: Ad): LoginRequest | string {
  for (const name of wanted) if (!ad.has(name.toLowerCase())) return `lacks ${name}`;
  const get = (name: (typeof wanted)[number]) => ad.get(name.toLowerCase()) ?? '';
  for (const name of ['Provider', 'LocalUser'] as const) if (get(name) === '') return `has an empty ${name}`;
  const handle = ad.get('handle') ?? '';
  return {
    provider: get('Provider'),
    ...(handle === '' ? {} : { handle }),
    scopes: get('Scopes'),
    audience: get('Audience'),
    clientId: get('ClientId'),
    clientSecret: new Secret('client_secret', get('ClientSecret')),
    authorizationUrl: get('AuthorizationUrl'),
    tokenUrl: get('TokenUrl'),
    returnUrl: get('ReturnUrl'),
    localUser: get('LocalUser').split('@', 1)[0] ?? '',
  };
}

function formatAd(request: LoginRequest): string {
  const attributes = {
    Audience: request.audience,
    AuthorizationUrl: request.authorizationUrl,
    ClientId: request.clientId,
    ClientSecret: request.clientSecret.reveal(),
    Handle: request.handle ?? '',
    LocalUser: request.localUser,
    Provider: request.provider,
    ReturnUrl: request.returnUrl,
    Scopes: request.scopes,
    TokenUrl: request.tokenUrl,
  };
  const lines = Object.entries(attributes).map(([name, text]) => `${name} = "${text.replaceAll('"', '\\"')}"\n`);
  return lines.join('');
}
