import type { Epoch } from '../token/time.ts';

export type SigningAlgorithm = 'ES256' | 'RS256';

/**
 * `next`: published or about to be, does not sign yet. `signing`: exactly one. `retired`: signs no more, still published, since
 * tokens live that it signed. `removed`: no longer published; only its record is kept, for the audit log.
 */
export type KeyState = 'next' | 'signing' | 'retired' | 'removed';

/** Where the private half lies. After `removed` there is none. */
export type KeyHome = { readonly kind: 'sealed' } | { readonly kind: 'file'; readonly path: string };

/** The public half, as it stands in a JWKS (RFC 7517): unpadded, whole coordinates, with `crv`, `alg`, `use` and `kid`. */
export interface PublicJwk {
  readonly kty: 'EC' | 'RSA';
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
  readonly crv?: 'P-256';
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** What is known of a signing key; holds no secret. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly state: KeyState;
  readonly jwk: PublicJwk;
  readonly home: KeyHome;
  readonly origin: 'made' | 'imported';
  readonly createdAt: Epoch;
  /** When verifiers could first fetch it; undefined as long as it was never published. */
  readonly publishedAt?: Epoch;
  readonly signsSince?: Epoch;
  readonly retiredAt?: Epoch;
  /** Retired by a rotation that was told not to wait: most likely somebody else has it. */
  readonly givenUp?: true;
  readonly removedAt?: Epoch;
  /** Nothing that it signed is good for longer (it is at most a quarter of an hour after the longest `exp`); until then the key stays published. */
  readonly lastExpiry?: Epoch;
}
