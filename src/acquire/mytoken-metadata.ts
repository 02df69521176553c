import { Fault } from '../fault/fault.ts';
import { after, hours, type Millis, type Mono } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { parseObject } from './answer-json.ts';
import { quoted } from './issuer-words.ts';
import { laterFault } from './later.ts';
import { safeEndpoint } from './metadata.ts';

/** How long an endpoint is believed before the server is asked again. */
const believed = hours(1);
const largestDocument = 1024 * 1024;

/** Kept for as long as the connections to the servers are: mytoken servers count requests, and this saves every second one. */
const known = new WeakMap<World['http'], Map<string, { readonly endpoint: URL; readonly until: Mono }>>();

export interface MytokenServerRef {
  /** As configured; its metadata must name exactly this issuer. */
  readonly server: string;
  readonly caFile?: string;
  readonly timeout: Millis;
}

/** The access token endpoint of a Mytoken server, from its own `/.well-known/mytoken-configuration`; a Fault when it cannot be had. */
export async function mytokenEndpoint(world: World, ref: MytokenServerRef, signal: AbortSignal): Promise<URL | Fault> {
  const ofWorld = known.get(world.http) ?? new Map();
  known.set(world.http, ofWorld);
  const remembered = ofWorld.get(ref.server);
  const now = world.clock.monotonic();
  if (remembered !== undefined && remembered.until > now) return remembered.endpoint;
  const found = await ask(world, ref, signal);
  if (found instanceof URL) ofWorld.set(ref.server, { endpoint: found, until: after(now, believed) });
  return found;
}

async function ask(
  world: World,
  { server, caFile, timeout }: MytokenServerRef,
  signal: AbortSignal,
): Promise<URL | Fault> {
  const place = `${server.replace(/\/$/, '')}/.well-known/mytoken-configuration`;
  if (!URL.canParse(place)) return new Fault('config-invalid', `the mytoken server ${quoted(server)} is not a URL`);
  const answer = await world.http.send({
    method: 'GET',
    url: new URL(place),
    timeout,
    maxBytes: largestDocument,
    connection: 'pooled',
    signal,
    ...(caFile === undefined ? {} : { caFile }),
  });
  if (answer.kind === 'no-answer') return answer.fault;
  const later = laterFault(answer, place);
  if (later !== undefined) return later.fault;
  const document = answer.status === 200 ? parseObject(answer.body) : null;
  if (document === null) {
    return new Fault(
      'issuer-nonsense',
      `looked for a mytoken server: ${place} answered ${answer.status} without its metadata`,
      {
        hint: 'check `server:` of the account; it is the address that the server names as its issuer',
      },
    );
  }
  if (document['issuer'] !== server) {
    return new Fault(
      'issuer-mismatch',
      `${place} names the issuer ${quoted(document['issuer'])}, not ${quoted(server)}`,
      {
        hint: 'if that is the right name, write it as `server:` of the account, exactly like that',
      },
    );
  }
  const endpoint = document['access_token_endpoint'];
  if (typeof endpoint === 'string' && safeEndpoint(endpoint)) return new URL(endpoint);
  return new Fault('issuer-nonsense', `${place} names no access_token_endpoint that is an https URL`);
}
