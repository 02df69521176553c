import { Fault } from '../fault/fault.ts';
import { between, type Millis, type Mono, millis, seconds } from '../token/time.ts';
import type { HttpAnswer } from '../world/http.ts';
import type { World } from '../world/world.ts';
import { keyMetadataPlaces, readMetadata } from './issuer-metadata.ts';
import { type KeySet, largestKeySet, readKeySet } from './jwks.ts';

export interface KeyPlace {
  readonly issuer: string;
  readonly caFile?: string;
  /** Where the keys may lie beside the issuer's own host. */
  readonly hosts: readonly string[];
}

export type KeyFetch =
  /** `freshFor` is what `Cache-Control` says, if anything. The set has at least one key. */
  | { readonly kind: 'fetched'; readonly set: KeySet; readonly text: string; readonly freshFor: Millis | undefined }
  | { readonly kind: 'failed'; readonly fault: Fault; readonly retryAfter?: Millis };
type Failed = Extract<KeyFetch, { kind: 'failed' }>;

/** For everything together: somebody may be waiting. */
const timeAllowed = seconds(5);
const largestMetadata = 256 * 1024;

/** Asks the issuer for its metadata, and the place named there for the keys. No redirect is followed; resolves within five seconds of `started`. */
export async function fetchKeys(
  world: Pick<World, 'http' | 'clock'>,
  place: KeyPlace,
  started: Mono,
): Promise<KeyFetch> {
  const places = keyMetadataPlaces(place.issuer);
  if (places === undefined) return failed(new Fault('issuer-unreachable', notFetchable(place.issuer)));
  let first: Failed | undefined;
  for (const url of places) {
    const answer = await get(world, place, { url, started, maxBytes: largestMetadata });
    if (answer.kind === 'failed') {
      // Only an answer that says "not here" is a reason to look elsewhere.
      if (answer.fault.code !== 'issuer-nonsense') return answer;
      first ??= answer;
      continue;
    }
    const metadata = readMetadata(answer.body, place.issuer, url, place.hosts);
    if (metadata.kind === 'failed') return metadata;
    return await fetchSet(world, place, metadata.url, started);
  }
  return first ?? failed(new Fault('bug', 'no place to look for metadata'));
}

const notFetchable = (issuer: string): string =>
  `keys are fetched over https only (plain http to loopback), which ${JSON.stringify(issuer)} does not allow`;

async function fetchSet(
  world: Pick<World, 'http' | 'clock'>,
  place: KeyPlace,
  url: URL,
  started: Mono,
): Promise<KeyFetch> {
  const answer = await get(world, place, { url, started, maxBytes: largestKeySet });
  if (answer.kind === 'failed') return answer;
  const reading = readKeySet(answer.body);
  if (reading.kind === 'refused') return failed(nonsense(url, `is no key set: ${reading.why}`));
  const { set } = reading;
  if (set.keys.length === 0) {
    const why = set.remarks.length === 0 ? '' : ` (${set.remarks.join('; ')})`;
    return failed(nonsense(url, `lists no key that can be used${why}`));
  }
  return { kind: 'fetched', set, text: answer.body, freshFor: maxAge(answer.headers['cache-control']) };
}

interface Look {
  readonly url: URL;
  readonly started: Mono;
  readonly maxBytes: number;
}

async function get(
  { http, clock }: Pick<World, 'http' | 'clock'>,
  { caFile }: KeyPlace,
  { url, started, maxBytes }: Look,
): Promise<HttpAnswer | Failed> {
  const left = timeAllowed - between(started, clock.monotonic());
  const answer = await http.send({
    method: 'GET',
    url,
    timeout: millis(Math.max(1, Math.ceil(left))),
    maxBytes,
    connection: 'pooled',
    ...(caFile === undefined ? {} : { caFile }),
  });
  if (answer.kind === 'no-answer') return failed(answer.fault);
  return answer.status === 200 ? answer : failedAnswer(answer, url);
}

const failed = (fault: Fault): Failed => ({ kind: 'failed', fault });

const nonsense = (url: URL, found: string): Fault =>
  new Fault('issuer-nonsense', `looked for the keys of the issuer: ${url.href} ${found}`);

/** `Retry-After` is used in its form in seconds only; a date would bring the issuer's clock into it. */
function failedAnswer({ status, headers }: HttpAnswer, url: URL): Failed {
  if (status < 500 && status !== 429) {
    const redirects = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
    return failed(nonsense(url, `answered ${status}${redirects}`));
  }
  const wait = /^\d{1,6}$/.exec(headers['retry-after']?.trim() ?? '')?.[0];
  const code = status === 429 || status === 503 ? 'issuer-overloaded' : 'issuer-fault';
  const fault = new Fault(code, `looked for the keys of the issuer: ${url.href} answered ${status}`);
  return wait === undefined ? failed(fault) : { kind: 'failed', fault, retryAfter: seconds(Number(wait)) };
}

/** RFC 9111 section 5.2.2.1; the bounds are the schedule's. */
function maxAge(header: string | undefined): Millis | undefined {
  if (header === undefined) return undefined;
  if (/\bno-(store|cache)\b/i.test(header)) return millis(0);
  const age = /\bmax-age="?(\d{1,9})/i.exec(header)?.[1];
  return age === undefined ? undefined : seconds(Number(age));
}
