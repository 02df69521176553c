import { createHmac } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import { type AccessToken, Secret } from '../token/secret.ts';
import { after, type Epoch, epochFromSeconds, hours, type Millis } from '../token/time.ts';
import type { Random } from '../world/random.ts';
import type { PoolKey } from './idtoken-key.ts';

/** HTCondor's authorization levels that a token can be limited to. */
export const authorizationLevels = [
  'READ',
  'WRITE',
  'DAEMON',
  'ADMINISTRATOR',
  'NEGOTIATOR',
  'CONFIG',
  'ADVERTISE_STARTD',
  'ADVERTISE_SCHEDD',
  'ADVERTISE_MASTER',
] as const;

export interface IdtokenRequest {
  /** TRUST_DOMAIN of the pool, to the letter; becomes `iss`. */
  readonly trustDomain: string;
  /** `user@domain`: what the bearer is to the pool, which maps it no further. */
  readonly identity: string;
  /** `condor:/READ` or `READ`. None: all that the identity may. */
  readonly scopes: readonly string[];
  /** `endless` ends only with its key, or when it is revoked. */
  readonly lifetime: Millis | 'endless';
}

export interface MintedIdtoken {
  readonly token: AccessToken;
  readonly jti: string;
  readonly issuedAt: Epoch;
  readonly expiresAt: Epoch | undefined;
  /** As they stand in the token. */
  readonly scopes: readonly string[];
  /** Sentences: what is wider than it need be. */
  readonly remarks: readonly string[];
}

/** What GlideinWMS gives the tokens of its pilots. */
export const usualIdtokenLife = hours(24);

/**
 * Makes an IDTOKEN of HTCondor: a JWS with HS256 (RFC 7515) under a key that all daemons of a pool share. There is no audience; the
 * pool is who knows the key and has the name. Throws `request-refused`.
 */
export function mintIdtoken(
  { id, key, remarks }: PoolKey,
  request: IdtokenRequest,
  moment: { readonly now: Epoch; readonly random: Random },
): MintedIdtoken {
  const { trustDomain, identity, lifetime } = request;
  refuseUnfit(request);
  const scopes = [...new Set(request.scopes.map(condorScope))];
  const issued = Math.floor(moment.now / 1000);
  const issuedAt = epochFromSeconds(issued);
  // Newer releases demand it, and SEC_TOKEN_REVOCATION_EXPR names tokens by it.
  const jti = moment.random.bytes(16).toString('hex');
  const expiresAt = lifetime === 'endless' ? undefined : after(issuedAt, lifetime);
  const claims = {
    ...(expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1000) }),
    iat: issued,
    iss: trustDomain,
    jti,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    sub: identity,
  };
  const input = `${base64url({ alg: 'HS256', kid: id })}.${base64url(claims)}`;
  const signature = createHmac('sha256', key).update(input).digest('base64url');
  const token: AccessToken = new Secret('access_token', `${input}.${signature}`);
  return { token, jti, issuedAt, expiresAt, scopes, remarks: [...remarks, ...widths(request)] };
}

const base64url = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

function refuseUnfit({ trustDomain, identity, lifetime }: IdtokenRequest): void {
  if (!/^[^\s,\p{Cc}]+$/u.test(trustDomain)) {
    const found = `a trust domain has no blanks or commas, and "${trustDomain}" is none`;
    throw new Fault('request-refused', found, { hint: 'condor_config_val TRUST_DOMAIN   # on a machine of the pool' });
  }
  if (identity.length > 255 || !/^[^\s@,"\\\p{Cc}]+@[^\s@,"\\\p{Cc}]+$/u.test(identity)) {
    const found = `an identity in a pool is user@domain, and "${identity}" is not`;
    throw new Fault('request-refused', found, { hint: 'for a user of the pool the domain is its UID_DOMAIN' });
  }
  if (lifetime !== 'endless' && lifetime < 1000)
    throw new Fault('request-refused', 'a token lives for a second at least');
}

/** A token that is limited to a level that there is not would be limited to nothing, and be refused everywhere. */
function condorScope(scope: string): string {
  const level = scope.startsWith('condor:/') ? scope.slice('condor:/'.length) : scope;
  if ((authorizationLevels as readonly string[]).includes(level)) return `condor:/${level}`;
  throw new Fault('request-refused', `"${scope}" is no authorization level of HTCondor`, {
    hint: `known: ${authorizationLevels.join(', ')}; as scopes: condor:/READ`,
  });
}

function widths({ identity, scopes, lifetime }: IdtokenRequest): readonly string[] {
  return [
    ...(lifetime === 'endless' ? ['the token never ends; only a new key or SEC_TOKEN_REVOCATION_EXPR stops it'] : []),
    ...(scopes.length === 0 ? [`the token has no scope: its bearer may do all that ${identity} may in the pool`] : []),
  ];
}
