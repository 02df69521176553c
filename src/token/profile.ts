type Claims = Readonly<Record<string, unknown>>;

/** By whose rules a token was made: WLCG's, SciTokens', RFC 9068's, or nobody's that is known here. */
export type TokenProfile = 'wlcg' | 'scitokens' | 'at+jwt' | 'unknown';

/** A guess by the marks that each profile leaves; `wlcg.ver` is stronger than `ver`, and `ver` than the header's `typ`. */
export function profileOf(header: Claims, claims: Claims): TokenProfile {
  if ('wlcg.ver' in claims) return 'wlcg';
  const { ver } = claims;
  if (typeof ver === 'string' && /^scitokens?:/i.test(ver)) return 'scitokens';
  return isAccessTokenType(header['typ']) ? 'at+jwt' : 'unknown';
}

/** What each profile demands of an access token. */
export const requiredClaims: Readonly<Record<TokenProfile, readonly string[]>> = {
  wlcg: ['iss', 'sub', 'exp', 'iat', 'jti', 'aud', 'wlcg.ver'],
  scitokens: ['iss', 'exp', 'ver', 'aud', 'scope'],
  'at+jwt': ['iss', 'sub', 'exp', 'iat', 'jti', 'aud', 'client_id'],
  unknown: ['iss', 'exp'],
};

export const profileNames: Readonly<Record<TokenProfile, string>> = {
  wlcg: 'WLCG common JWT profile',
  scitokens: 'SciTokens',
  'at+jwt': 'JWT access token of RFC 9068',
  unknown: 'none that is known here',
};

/** By whose rules a token is judged. SciTokens 1 and 2 differ: 2 demands an audience and ignores claims it does not know. */
export type ClaimProfile = 'wlcg' | 'scitokens1' | 'scitokens2' | 'at+jwt';

export type ProfileReading =
  | {
      readonly kind: 'profile';
      readonly profile: ClaimProfile;
      readonly version?: string;
      /** The marks of two profiles are there; others may judge by the other one. */
      readonly ambiguous?: true;
    }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Says by which profile to judge a token, or why by none. `ver` wins over `wlcg.ver`, as it does in libscitokens and so in the
 * services: refusing both together would be stricter, but the same token would then be good there and bad here.
 * A token without any mark is one of SciTokens 1, the only profile that demands none, and with the strictest rules:
 * it has to be as libscitokens has it, or such tokens would get by with less.
 */
export function readProfile(header: Claims, claims: Claims): ProfileReading {
  if ('ver' in claims) {
    const reading = readSciTokensVersion(claims['ver']);
    return reading.kind === 'profile' && 'wlcg.ver' in claims ? { ...reading, ambiguous: true } : reading;
  }
  if ('wlcg.ver' in claims) return readWlcgVersion(claims['wlcg.ver']);
  return { kind: 'profile', profile: isAccessTokenType(header['typ']) ? 'at+jwt' : 'scitokens1' };
}

/** Both spellings are about: libscitokens writes `scitoken:2.0` and the specification says `scitokens:2.0`. */
function readSciTokensVersion(ver: unknown): ProfileReading {
  if (typeof ver !== 'string') return { kind: 'refused', why: 'ver is not text' };
  const version = /^scitokens?:([12]\.0)$/.exec(ver)?.[1];
  if (version === undefined) {
    return { kind: 'refused', why: `ver is ${JSON.stringify(ver)}; known are scitokens:1.0 and scitokens:2.0` };
  }
  return { kind: 'profile', profile: version === '2.0' ? 'scitokens2' : 'scitokens1', version };
}

/** MAJOR.MINOR: a newer minor adds only what may be ignored and has to be accepted, an unknown major refused (WLCG profile 1.3). */
function readWlcgVersion(version: unknown): ProfileReading {
  if (typeof version !== 'string')
    return { kind: 'refused', why: 'wlcg.ver is not text; it has to be "1.0" in quotes' };
  if (/^1\.\d+$/.test(version)) return { kind: 'profile', profile: 'wlcg', version };
  const why = /^\d+\.\d+$/.test(version) ? 'only versions 1.x are known' : 'it has to be a version such as "1.0"';
  return { kind: 'refused', why: `wlcg.ver is ${JSON.stringify(version)}; ${why}` };
}

/** RFC 9068 section 2.1; a media type is compared without case. */
const isAccessTokenType = (typ: unknown): boolean => typeof typ === 'string' && /^(application\/)?at\+jwt$/i.test(typ);
