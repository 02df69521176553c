import type { AuditEntry } from '../mint/audit.ts';
import type { Minted } from '../mint/issuer.ts';
import type { RefreshToken } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import type { ClientGrant } from './client.ts';
import type { ClientRequest } from './client-request.ts';

/** Words of RFC 6749 section 5.2, RFC 8707 section 2, and `access_denied` as WLCG profile 1.3 has it. */
export type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied';

export interface Refusal {
  readonly kind: 'refused';
  readonly error: TokenError;
  /** A sentence for people; it reaches the client. */
  readonly why: string;
  /** In its place in the audit log, where more may be said. */
  readonly forLog?: string;
  /** What was asked for, for the audit log. */
  readonly asked?: Pick<AuditEntry, 'subject' | 'audiences' | 'scopes'>;
}

export interface GivenRefresh {
  readonly token: RefreshToken;
  readonly endsAt: Epoch;
}

export interface Issued {
  readonly kind: 'issued';
  readonly minted: Minted;
  /** To go on with; absent where the client keeps the one it has, or gets none. */
  readonly refresh?: GivenRefresh;
  /** RFC 8693 section 2.2.1. */
  readonly issuedTokenType?: string;
}

/** `client-changed`: the client is not as it was when it proved itself; it is looked at anew. */
export type TokenAnswer = Issued | Refusal | { readonly kind: 'client-changed' };

/**
 * One grant of the token endpoint. The endpoint has found out who asks and that the client may use this grant; a grant says
 * what is to be signed, has it signed within one transaction with every check that a revocation could overtake, and answers.
 */
export interface TokenGrant {
  /** As it stands in `grant_type`. */
  readonly type: string;
  /** What a client must have been given for it. */
  readonly needs: ClientGrant;
  answer(request: ClientRequest): Promise<TokenAnswer>;
}

export const refusal = (error: TokenError, why: string): Refusal => ({ kind: 'refused', error, why });
