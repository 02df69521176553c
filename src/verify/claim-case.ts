import type { ClaimProfile } from '../token/profile.ts';
import type { Epoch } from '../token/time.ts';
import type { TrustedIssuer } from './trust.ts';

type Claims = Readonly<Record<string, unknown>>;

/** A token whose claims are being judged. */
export interface ClaimCase {
  readonly header: Claims;
  readonly claims: Claims;
  readonly trust: TrustedIssuer;
  readonly now: Epoch;
  readonly profile: ClaimProfile;
}
