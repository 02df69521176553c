import { Fault } from '../fault/fault.ts';
import type { IssuerPolicy } from '../mint/policy.ts';
import type { Epoch, Millis } from '../token/time.ts';
import { hours } from '../token/time.ts';

/** What a client may ask for, in the words of the command line. `refresh_token` is given along with what it came from. */
export const clientGrants = ['client_credentials', 'token_exchange', 'refresh_token'] as const;
export type ClientGrant = (typeof clientGrants)[number];

/** A generated secret, of which only this is kept. 256 bits of chance need no slow hash. */
export interface SecretHash {
  /** SHA-256 in base64url. */
  readonly sha256: string;
  readonly since: Epoch;
  /** Set when another secret took its place. */
  readonly until?: Epoch;
}

/** How a client proves that it is the one: with a secret in either way of RFC 6749 section 2.3.1, or with private_key_jwt (RFC 7523). */
export type ClientProof =
  | { readonly kind: 'secret'; readonly secrets: readonly SecretHash[] }
  | { readonly kind: 'key'; readonly jwk: ClientKey };

/** The public half of a client's key. */
export interface ClientKey {
  readonly kty: 'EC' | 'RSA';
  readonly alg: 'ES256' | 'RS256';
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** A program that may ask the server for tokens; made by the operator alone, never by itself. */
export interface Client {
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly generation: number;
  readonly addedAt: Epoch;
  readonly proof: ClientProof;
  readonly grants: readonly ClientGrant[];
  /** `sub` of the tokens it gets for itself. */
  readonly subject: string;
  /** Bounds, within those of issuer.yaml and by the same rules. */
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly everyone: boolean;
  readonly lifetime?: Millis;
  /** Audiences it answers to itself: tokens for these it may introspect (RFC 7662). */
  readonly serves: readonly string[];
}

/** Longer than anything issuer.yaml allows: the bounds of a client without a lifetime of its own cut nothing. */
const unbounded = hours(24 * 365);

/** The bounds of a client as a policy, so that one set of rules judges both. */
export function boundsOf(client: Client): IssuerPolicy {
  const most = client.lifetime ?? unbounded;
  return {
    scopes: client.scopes,
    audiences: client.audiences,
    everyone: client.everyone,
    subjects: ['*'],
    // Groups come out of the token that is exchanged, and within issuer.yaml.
    groups: ['*'],
    claims: ['act', 'may_act'],
    lifetime: { usual: most, most },
    suspended: [],
  };
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ofHost = /^host:(?=.{1,250}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/;
const ofService = /^client-[a-z0-9][a-z0-9._-]{0,100}$/;

/** Does it have the form of an id? Nothing of another form was ever given out. */
export const isClientId = (id: string): boolean => uuid.test(id) || ofHost.test(id) || ofService.test(id);

/**
 * The id of a client is a `sub` of tokens too, so it must not be one that a person could have (ISS-20): a UUID, `host:` with a name
 * of DNS (WLCG profile 1.3, host-based authorization), or something that begins with `client-`. Throws Fault `usage`.
 */
export function checkClientId(id: string): string {
  if (isClientId(id)) return id;
  throw new Fault('usage', `${JSON.stringify(id)} could be taken for a person's name, and is no id for a client`, {
    hint: 'leave --id out for an id made here, or choose client-SOMETHING or host:NAME.OF.HOST (lower case)',
  });
}
