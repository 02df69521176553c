import type { ClaimProfile } from '../token/profile.ts';
import type { Epoch } from '../token/time.ts';

/** Why a token is refused; stable words for programs. `keys-unavailable` may pass by itself, the others do not. */
export type RefusalCode =
  | 'malformed'
  | 'too-large'
  | 'critical-header'
  | 'algorithm'
  | 'type'
  | 'issuer-missing'
  | 'issuer-unknown'
  | 'key-unnamed'
  | 'key-unknown'
  | 'keys-unavailable'
  | 'signature'
  | 'claim-missing'
  | 'claim-type'
  | 'expired'
  | 'not-yet-valid'
  | 'issued-in-future'
  | 'lives-too-long'
  | 'profile'
  | 'audience'
  | 'scope'
  | 'revoked';

type Claims = Readonly<Record<string, unknown>>;

/** A token whose signature and claims were found good. Its text is not in here: identity is issuer and subject (VER-10). */
export interface VerifiedToken {
  readonly header: Claims;
  readonly claims: Claims;
  readonly profile: ClaimProfile;
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly audiences: readonly string[];
  /** Which of ours it was for; undefined when it is for every service. */
  readonly audience: string | undefined;
  /** The scope claim's words. */
  readonly scopes: readonly string[];
  /** Those that are groups by the grammar of the WLCG profile; another name grants nothing. */
  readonly groups: readonly string[];
  readonly jti: string | undefined;
  readonly kid: string | undefined;
  readonly issuedAt: Epoch | undefined;
  readonly expiresAt: Epoch;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  /** One sentence, lower case, no full stop; may quote claims (made printable by who prints it), never the signature. */
  readonly why: string;
  /** What would mend it, and whose turn it is. */
  readonly hint?: string;
}

export type Verification = { readonly kind: 'valid'; readonly token: VerifiedToken } | Refusal;

export function refusal(code: RefusalCode, why: string, hint?: string): Refusal {
  return hint === undefined ? { kind: 'refused', code, why } : { kind: 'refused', code, why, hint };
}

/** A value out of a token, in quotes and not too long, for such a sentence. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
