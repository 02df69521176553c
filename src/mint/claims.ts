import { everyone } from '../token/audience.ts';
import { clockBackdate } from '../token/lifetimes.ts';
import type { IssuerUrl } from '../token/names.ts';
import { type Epoch, epochFromSeconds } from '../token/time.ts';
import type { HtcondorClaims } from './issuer.ts';
import type { IssueProfile, JsonValue, SettledRequest } from './policy.ts';
import type { JwsHeader } from './sign-jws.ts';

/** What the issuer says itself in every token; a request cannot. */
export const ownClaims: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'scope',
  'scp',
  'client_id',
  'ver',
  'wlcg.ver',
  'wlcg.groups',
]);

/** What `aud` is in a token for every service; RFC 9068 has no such audience. */
export const wildcardOf: Readonly<Record<IssueProfile, string | undefined>> = {
  wlcg: everyone.wlcg,
  scitokens: everyone.scitokens,
  'at+jwt': undefined,
};

/**
 * The mark of each profile. Of WLCG it stays 1.0, since libraries of that version refuse others; never `ver` beside it, by which
 * libscitokens would take the token for a SciToken. `scitoken:2.0` is the spelling that both SciTokens libraries know.
 */
const marks: Readonly<Record<IssueProfile, Readonly<Record<string, JsonValue>>>> = {
  wlcg: { 'wlcg.ver': '1.0' },
  scitokens: { ver: 'scitoken:2.0' },
  'at+jwt': {},
};

export interface Issuing {
  readonly url: IssuerUrl;
  readonly profile: IssueProfile;
  readonly jti: string;
  readonly now: Epoch;
  readonly htcondor?: HtcondorClaims | undefined;
}

export interface IssuedClaims {
  readonly issuedAt: Epoch;
  readonly expiresAt: Epoch;
  readonly claims: Readonly<Record<string, JsonValue>>;
}

/**
 * The claims of an access token. Whatever the profile they are those of ISS-11 (RFC 9068 section 2.2): a token without a client of its
 * own has its subject as `client_id`, as section 2.2 has it the other way round. Services with a slow clock are met by `nbf`; `iat` is the
 * whole second that has begun, for libscitokens refuses one that is ahead.
 */
export function claimsOf(request: SettledRequest, issuing: Issuing): IssuedClaims {
  const { url, jti, now, htcondor } = issuing;
  const iat = Math.floor(now / 1000);
  const exp = iat + Math.floor(request.lifetime / 1000);
  const { subject, scopes, groups, claims } = request;
  return {
    issuedAt: epochFromSeconds(iat),
    expiresAt: epochFromSeconds(exp),
    claims: {
      ...claims,
      ...markOf(issuing),
      iss: url,
      sub: subject,
      exp,
      nbf: iat - clockBackdate / 1000,
      iat,
      jti,
      ...(htcondor === undefined ? forWhomAndWhose(request) : audienceList(request)),
      scope: scopes.join(' '),
      ...(groups.length > 0 ? { 'wlcg.groups': groups } : {}),
    },
  };
}

const markOf = ({ profile, htcondor }: Issuing): Readonly<Record<string, JsonValue>> => {
  if (htcondor === undefined || profile !== 'scitokens') return marks[profile];
  return htcondor.ver === undefined ? {} : { ver: htcondor.ver };
};

const forWhomAndWhose = ({ subject, audiences, clientId }: SettledRequest): Readonly<Record<string, JsonValue>> => ({
  aud: audiences.length === 1 ? String(audiences[0]) : audiences,
  client_id: clientId ?? subject,
});

const audienceList = ({ audiences }: SettledRequest): Readonly<Record<string, JsonValue>> =>
  audiences.length === 0 ? {} : { aud: audiences };

export const headerOf = (profile: IssueProfile, kid: string): JwsHeader => ({
  typ: profile === 'at+jwt' ? 'at+jwt' : 'JWT',
  kid,
});
