import { Fault } from '../fault/fault.ts';
import { metadataPlaces } from '../token/metadata-places.ts';
import type { IssuerUrl } from '../token/names.ts';
import { type Epoch, type Millis, millis } from '../token/time.ts';
import type { HttpAnswer } from '../world/http.ts';
import { isLoopback } from '../world/loopback.ts';
import type { World } from '../world/world.ts';
import { parseObject } from './answer-json.ts';
import { quoted } from './issuer-words.ts';
import { laterFault } from './later.ts';

/** What an issuer says of itself (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2). */
export interface IssuerMetadata {
  readonly issuer: IssuerUrl;
  readonly tokenEndpoint: string;
  readonly deviceAuthorizationEndpoint?: string;
  readonly authorizationEndpoint?: string;
  readonly registrationEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly introspectionEndpoint?: string;
  readonly jwksUri?: string;
  readonly grantTypesSupported?: readonly string[];
  readonly scopesSupported?: readonly string[];
  readonly tokenEndpointAuthMethodsSupported?: readonly string[];
  readonly codeChallengeMethodsSupported?: readonly string[];
  /** RFC 9207: answers of the authorization endpoint carry `iss`. */
  readonly authorizationResponseIss?: boolean;
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface MetadataRequest {
  readonly issuer: IssuerUrl;
  readonly caFile?: string;
  readonly timeout: Millis;
  readonly signal?: AbortSignal;
}

export type MetadataOutcome =
  /** `skew` is our clock minus the issuer's, if it said what time it is there. */
  | { readonly kind: 'metadata'; readonly metadata: IssuerMetadata; readonly skew: Millis | undefined }
  | { readonly kind: 'failed'; readonly fault: Fault; readonly retryAfter: Epoch | undefined };
type Failed = Extract<MetadataOutcome, { kind: 'failed' }>;

const largestDocument = 1024 * 1024;

/** Asks the issuer for its metadata: OpenID Connect Discovery first, then RFC 8414. The issuer named there must be equal, byte for byte. */
export async function fetchMetadata(world: World, request: MetadataRequest): Promise<MetadataOutcome> {
  const places = metadataPlaces(request.issuer);
  if (places === undefined) {
    return failed(new Fault('config-invalid', `the issuer ${quoted(request.issuer)} is not a URL`));
  }
  let first: Failed | undefined;
  for (const place of places) {
    const outcome = await fetchFrom(world, request, place);
    if (outcome.kind === 'metadata' || outcome.fault.code !== 'issuer-nonsense') return outcome;
    first ??= outcome;
  }
  return first ?? failed(new Fault('bug', 'no place to look for metadata'));
}

async function fetchFrom(world: World, request: MetadataRequest, url: URL): Promise<MetadataOutcome> {
  const answer = await world.http.send({
    method: 'GET',
    url,
    timeout: request.timeout,
    maxBytes: largestDocument,
    connection: 'pooled',
    ...(request.caFile === undefined ? {} : { caFile: request.caFile }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  if (answer.kind === 'no-answer') return failed(answer.fault);
  if (answer.status !== 200) {
    const later = laterFault(answer, url.href);
    if (later !== undefined) return later;
    return failed(nonsense(url, `answered ${answer.status}`));
  }
  const document = parseObject(answer.body);
  if (document === null) return failed(nonsense(url, 'is not a JSON object'));
  return readMetadata(document, request.issuer, url, skewOf(answer));
}

function nonsense(url: URL, found: string): Fault {
  return new Fault('issuer-nonsense', `looked for the issuer's metadata: ${url.href} ${found}`, {
    hint: "check the issuer's address; a login page or a proxy may stand in between",
  });
}

const failed = (fault: Fault, retryAfter?: Epoch): Failed => ({ kind: 'failed', fault, retryAfter });

function readMetadata(
  document: Readonly<Record<string, unknown>>,
  issuer: IssuerUrl,
  url: URL,
  skew: Millis | undefined,
): MetadataOutcome {
  if (document['issuer'] !== issuer) return failed(mismatch(document['issuer'], issuer));
  const endpoints: Record<string, string> = {};
  for (const [name, member] of Object.entries(endpointMembers)) {
    const value = document[member];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || !safeEndpoint(value)) {
      return failed(
        new Fault(
          'issuer-nonsense',
          `the metadata at ${url.href} has a ${member} that is not an https URL: ${quoted(value)}`,
        ),
      );
    }
    endpoints[name] = value;
  }
  const { tokenEndpoint } = endpoints;
  if (tokenEndpoint === undefined) return failed(nonsense(url, 'names no token_endpoint'));
  const iss = document['authorization_response_iss_parameter_supported'];
  const metadata: IssuerMetadata = {
    ...endpoints,
    ...listsOf(document),
    ...(typeof iss === 'boolean' ? { authorizationResponseIss: iss } : {}),
    issuer,
    tokenEndpoint,
    raw: document,
  };
  return { kind: 'metadata', metadata, skew };
}

const endpointMembers = {
  tokenEndpoint: 'token_endpoint',
  deviceAuthorizationEndpoint: 'device_authorization_endpoint',
  authorizationEndpoint: 'authorization_endpoint',
  registrationEndpoint: 'registration_endpoint',
  revocationEndpoint: 'revocation_endpoint',
  introspectionEndpoint: 'introspection_endpoint',
  jwksUri: 'jwks_uri',
} as const;

const listMembers = {
  grantTypesSupported: 'grant_types_supported',
  scopesSupported: 'scopes_supported',
  tokenEndpointAuthMethodsSupported: 'token_endpoint_auth_methods_supported',
  codeChallengeMethodsSupported: 'code_challenge_methods_supported',
} as const;

/** Lists that are not lists of text count as absent: nothing is refused for them. */
function listsOf(document: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
  const lists: Record<string, readonly string[]> = {};
  for (const [name, member] of Object.entries(listMembers)) {
    const value = document[member];
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) lists[name] = value;
  }
  return lists;
}

/** Tokens and secrets go to https only, or stay on this machine. */
export function safeEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function mismatch(found: unknown, wished: IssuerUrl): Fault {
  const name = typeof found === 'string' ? quoted(found) : 'nothing';
  const slash = typeof found === 'string' && (found === `${wished}/` || `${found}/` === wished);
  const hint = slash
    ? `they differ by a trailing slash, which is part of the name; write issuer: ${found}`
    : 'if the name in the metadata is the right one, write it into the configuration exactly like that';
  return new Fault('issuer-mismatch', `the metadata of ${quoted(wished)} names the issuer ${name}`, { hint });
}

/** Our clock minus theirs. `Date` is cut to whole seconds and was written while the request was under way: both are halved out. */
export function skewOf(answer: Pick<HttpAnswer, 'headers' | 'sentAt' | 'receivedAt'>): Millis | undefined {
  const theirs = Date.parse(answer.headers['date'] ?? '');
  if (Number.isNaN(theirs)) return undefined;
  return millis((answer.sentAt + answer.receivedAt) / 2 - (theirs + 500));
}
