import type { ClaimProfile } from '../token/profile.ts';
import type { Millis } from '../token/time.ts';
import type { KeySet } from '../verify/jwks.ts';
import type { ScitokensReading } from '../verify/scitokens-cfg.ts';
import type { Verification } from '../verify/verification.ts';

/** Whom to trust; shared by verify, can, map and explain. */
export interface TrustOptions {
  readonly issuer?: readonly string[];
  readonly audience?: readonly string[];
  readonly jwks?: string;
  readonly caFile?: string;
  readonly keyHost?: readonly string[];
  readonly issuerConfig?: string;
  readonly profile?: readonly ClaimProfile[];
  readonly longestLife?: Millis;
}

/** What the options say, ready to verify with. */
export interface Trust {
  /** Undefined where nobody was named: any issuer is taken then. */
  readonly issuers: readonly string[] | undefined;
  /** Empty where none was named: the audience is not looked at then, except as `config` says. */
  readonly audiences: readonly string[];
  /** The scitokens.cfg of `--issuer-config`. */
  readonly config?: ScitokensReading;
  /** Verifies with keys from the file, else asks the token's issuer for them; while it is away, those of an earlier time serve. */
  verify(text: string): Promise<Verification>;
  /** The keys of the token's issuer, once `verify` is through and whatever it said: undefined where it is not trusted, or does not give them. */
  keysOf(text: string): Promise<KeySet | undefined>;
  /**
   * What a person has to know of the answer: that any issuer was taken, that no audience was looked at, findings in the
   * configuration, and, once `verify` is through, that the keys are old.
   */
  warnings(): readonly string[];
}
