import { createHash } from 'node:crypto';
import type { Random } from '../../world/random.ts';

export interface AuthorizationTerms {
  readonly authorizationUrl: string;
  readonly clientId: string;
  /** As registered, to the letter. */
  readonly returnUrl: string;
  readonly scope: readonly string[];
  /** `resource`, as the shipped web application sends it; empty for none. */
  readonly audience: string;
  readonly state: string;
  readonly verifier: string;
  readonly nonce?: string;
}

/** What goes with one login and is known to nobody else. */
export interface Proofs {
  readonly verifier: string;
  readonly nonce?: string;
}

/** PKCE always; a nonce where an ID token comes (OpenID Connect Core 3.1.2.1). */
export const newProofs = (random: Random, scope: readonly string[]): Proofs => ({
  verifier: random.bytes(32).toString('base64url'),
  ...(scope.includes('openid') ? { nonce: random.bytes(32).toString('base64url') } : {}),
});

/** Where the browser goes: an authorization request with PKCE (RFC 7636, S256). Parameters that the endpoint has already stay. */
export function authorizationRequest(terms: AuthorizationTerms): URL {
  const url = new URL(terms.authorizationUrl);
  const set = (name: string, value: string) => url.searchParams.set(name, value);
  set('response_type', 'code');
  set('client_id', terms.clientId);
  set('redirect_uri', terms.returnUrl);
  if (terms.scope.length > 0) set('scope', terms.scope.join(' '));
  if (terms.audience !== '') set('resource', terms.audience);
  set('state', terms.state);
  if (terms.nonce !== undefined) set('nonce', terms.nonce);
  set('code_challenge', createHash('sha256').update(terms.verifier).digest('base64url'));
  set('code_challenge_method', 'S256');
  // OpenID Connect Core section 11: without consent, offline_access may be passed over.
  if (terms.scope.includes('offline_access')) set('prompt', 'consent');
  return url;
}
