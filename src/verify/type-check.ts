import type { ClaimCase } from './claim-case.ts';
import { type Refusal, refusal, shown } from './verification.ts';

/** What `typ` may say of an access token (RFC 9068 section 2.1; RFC 7519 section 5.1). WLCG and SciTokens prescribe none. */
const accessToken = /^(application\/)?at\+jwt$/i;
const plain = /^(application\/)?jwt$/i;

/** Claims that only ID tokens have (OpenID Connect Core 1.0 sections 2, 3.1.3.6, 3.3.2.11). */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash', 's_hash'];

/** Another kind of token of the same issuer must not stand in for an access token (RFC 8725 section 3.11). */
export function wrongType({ header, claims }: ClaimCase): Refusal | undefined {
  const { typ } = header;
  if (typeof typ === 'string' && accessToken.test(typ)) return undefined;
  if (typ !== undefined && !(typeof typ === 'string' && plain.test(typ))) {
    return refusal('type', `the token is not an access token: its type (typ) is ${shown(typ)}`, bringAccessToken);
  }
  const mark = idTokenClaims.find((name) => claims[name] !== undefined);
  if (mark !== undefined) {
    return refusal(
      'type',
      `the token is an ID token (it has the claim ${mark}), not an access token`,
      bringAccessToken,
    );
  }
  // Keycloak puts the kind into a claim.
  const inside = claims['typ'];
  if (typeof inside !== 'string' || /^(bearer|access|at\+jwt|jwt)$/i.test(inside)) return undefined;
  return refusal('type', `the token is not an access token: its claim typ is ${shown(inside)}`, bringAccessToken);
}

const bringAccessToken = 'bring the access token; ID tokens and refresh tokens are for the client alone';
