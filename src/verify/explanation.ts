import type { Epoch } from '../token/time.ts';

/** Who can mend it: whoever asks for tokens, whoever runs the issuer, or whoever runs the service. */
export type Turn = 'user' | 'issuer' | 'site';

/** What one service, or the rules themselves, say of a token and a request. */
export interface Verdict {
  readonly accepted: boolean;
  /** What decides, such as `exp`, `aud`, a scope, `onmissing`. */
  readonly rule: string;
  readonly why: string;
  /** What the service writes into its log; clients are not told. */
  readonly log?: string;
  /** What would mend it. */
  readonly fix?: string;
  readonly turn?: Turn;
  /** What this release makes of the token that the rules do not say, and what was assumed. */
  readonly remarks: readonly string[];
}

/** A refusal on the way; it becomes a verdict. */
export interface Refused {
  readonly kind: 'refused';
  readonly rule: string;
  readonly why: string;
  readonly log?: string;
  readonly fix?: string;
  readonly turn?: Turn;
}

export const refusedFor = (rule: string, why: string, more: Omit<Refused, 'kind' | 'rule' | 'why'> = {}): Refused => ({
  kind: 'refused',
  rule,
  why,
  ...more,
});

export function asVerdict({ kind: _, ...refusal }: Refused, remarks: readonly string[]): Verdict {
  return { accepted: false, ...refusal, remarks };
}

type Claims = Readonly<Record<string, unknown>>;

/** What the keys of the issuer say of a token's signature, in the order in which libscitokens looks. */
export type SignatureFinding =
  | { readonly kind: 'good' }
  /** There were no keys to compare with; whoever explains goes on as if it were good, and says so. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** The token names no key, and there is more than one, or none. */
  | { readonly kind: 'key unnamed' }
  /** `published`: the ones that are, as far as they are known. */
  | { readonly kind: 'key unpublished'; readonly kid: string; readonly published: readonly string[] }
  | { readonly kind: 'algorithm'; readonly found: string }
  /** Without `kid`, the token names no key, and was compared with the only one. */
  | { readonly kind: 'wrong'; readonly kid?: string };

/** A token as a service gets it: its text is not in here, only what its signature is worth. */
export interface PresentedToken {
  readonly header: Claims;
  readonly claims: Claims;
  readonly signature: SignatureFinding;
}

/** What a service is configured with, as far as all of them have it. */
export interface ServiceSetting {
  readonly now: Epoch;
  /** Its names; `assumed` where they are not known, and the token is taken to be for it. */
  readonly audiences: readonly string[] | 'assumed';
}
