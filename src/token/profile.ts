type Claims = Readonly<Record<string, unknown>>;

/** By whose rules a token was made: WLCG's, SciTokens', RFC 9068's, or nobody's that is known here. */
export type TokenProfile = 'wlcg' | 'scitokens' | 'at+jwt' | 'unknown';

/** A guess by the marks that each profile leaves; `wlcg.ver` is stronger than `ver`, and `ver` than the header's `typ`. */
export function profileOf(header: Claims, claims: Claims): TokenProfile {
  if ('wlcg.ver' in claims) return 'wlcg';
  const { ver } = claims;
  if (typeof ver === 'string' && /^scitokens?:/i.test(ver)) return 'scitokens';
  const typ = typeof header['typ'] === 'string' ? header['typ'].toLowerCase() : '';
  if (typ === 'at+jwt' || typ === 'application/at+jwt') return 'at+jwt';
  return 'unknown';
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

/** An audience that every service accepts (WLCG profile 1.3, "aud"; SciTokens uses ANY). */
export function isForEveryone(audience: string): boolean {
  return audience === 'https://wlcg.cern.ch/jwt/v1/any' || audience === 'ANY';
}
