import type { ClaimProfile } from '../token/profile.ts';
import { type Millis, seconds } from '../token/time.ts';
import type { SigningAlgorithm } from './algorithm.ts';

/** Where an issuer's keys come from: its metadata, or a JWKS at hand, with which no network is ever needed. */
export type KeySource =
  | {
      readonly kind: 'discovered';
      readonly caFile?: string;
      /** Hosts (with their port, if it is not the usual one) that may serve the keys beside the issuer's own (VER-04). */
      readonly hosts?: readonly string[];
    }
  | { readonly kind: 'jwks'; readonly text: string; readonly from: string };

/** One issuer a site trusts, and for what. */
export interface TrustedIssuer {
  /** Compared byte for byte with `iss` (VER-02). */
  readonly issuer: string;
  readonly keys: KeySource;
  /** Ours. Empty: the audience is not looked at, which only a command that says so may wish. */
  readonly audiences: readonly string[];
  /** Whether tokens for every service are taken (the wildcard of the token's own profile). */
  readonly everyone: boolean;
  readonly profiles: readonly ClaimProfile[];
  readonly algorithms: readonly SigningAlgorithm[];
  /** For `nbf` and `iat`, at most a minute (VER-05); `exp` has none. */
  readonly tolerance: Millis;
  /** Refuse tokens that live longer than this. */
  readonly longestLife?: Millis;
}

/** Strict, as WLCG profile 1.3 and RFC 8725 want it. */
export const strictTrust = {
  everyone: true,
  profiles: ['wlcg', 'scitokens2', 'scitokens1', 'at+jwt'],
  algorithms: ['ES256', 'RS256'],
  tolerance: seconds(60),
} as const satisfies Partial<TrustedIssuer>;
