import { Fault } from '../fault/fault.ts';
import { metadataPlaces } from '../token/metadata-places.ts';
import { isLoopback } from '../world/loopback.ts';
import { jsonObjectIn } from './strict-json.ts';

/** Where the keys of an issuer lie, as its metadata say. */
export type MetadataReading =
  | { readonly kind: 'jwks-uri'; readonly url: URL }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** Where an issuer's metadata may be; undefined for what is no URL that keys may come from. */
export function keyMetadataPlaces(issuer: string): readonly [URL, URL] | undefined {
  if (!URL.canParse(issuer)) return undefined;
  const url = new URL(issuer);
  if (!isSafe(url) || url.username !== '' || url.search !== '' || url.hash !== '') return undefined;
  return metadataPlaces(issuer);
}

/**
 * Reads metadata for the one thing a verifier needs of them. The issuer named there has to be the one asked for, byte for byte
 * (VER-02), and the keys have to lie on its own host or on one of `hosts` (VER-04).
 */
export function readMetadata(body: string, issuer: string, from: URL, hosts: readonly string[]): MetadataReading {
  const document = jsonObjectIn(body);
  if (document === undefined) return failed(nonsense(`${from.href} is not a JSON object`));
  if (document['issuer'] !== issuer) return failed(mismatch(document['issuer'], issuer));
  const text = document['jwks_uri'];
  if (typeof text !== 'string' || !URL.canParse(text)) return failed(nonsense(`${from.href} names no jwks_uri`));
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(isPlainLoopback(url) && isPlainLoopback(from))) {
    return failed(nonsense(`${from.href} has a jwks_uri that is not an https URL: ${JSON.stringify(text)}`));
  }
  if (url.host !== from.host && !hosts.includes(url.host)) return failed(elsewhere(url, from));
  return { kind: 'jwks-uri', url };
}

const failed = (fault: Fault): MetadataReading => ({ kind: 'failed', fault });

/** Plain http only on this machine, as everywhere (`world/http.ts`). */
const isSafe = (url: URL): boolean => url.protocol === 'https:' || isPlainLoopback(url);
const isPlainLoopback = (url: URL): boolean => url.protocol === 'http:' && isLoopback(url.hostname);

const nonsense = (found: string): Fault => new Fault('issuer-nonsense', `looked for the keys of the issuer: ${found}`);

function mismatch(found: unknown, wished: string): Fault {
  const isText = typeof found === 'string';
  const name = isText ? JSON.stringify(found) : 'nothing';
  const slash = isText && (found === `${wished}/` || `${found}/` === wished);
  return new Fault('issuer-mismatch', `the metadata of ${JSON.stringify(wished)} names the issuer ${name}`, {
    hint: slash
      ? 'they differ by a slash at the end, which is part of the name: the issuer has to use one name in both places'
      : 'keys are taken only from metadata that carry the very name of the issuer; its operator has to look',
  });
}

function elsewhere(url: URL, from: URL): Fault {
  return new Fault('issuer-mismatch', `the metadata at ${from.href} keep the keys on another host, ${url.host}`, {
    hint: `if ${url.host} is known to be the issuer's, allow it for the keys of this issuer`,
  });
}
