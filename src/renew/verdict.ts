import type { WishRecord } from '../store/records.ts';
import type { Epoch, Millis } from '../token/time.ts';

/** The part of a wish that the verdict looks at. */
export interface VerdictTerms {
  readonly fingerprint: string;
  readonly minLifetime?: Millis;
  readonly freshness: 'due-point' | 'each-pass';
}

/** What kind of run is asking. */
export interface VerdictPolicy {
  /** `pass`: one `tokeep renew`; `daemon`: `tokeep run`; `forced`: --force. */
  readonly mode: 'pass' | 'daemon' | 'forced';
}

export type DueReason =
  | 'no-token'
  | 'wish-changed'
  | 'forced'
  | 'each-pass'
  | 'renewal-point'
  | 'below-minimum'
  | 'expired'
  | 'retry';

/** The pure answer to "does this wish need renewing now?", with a reason a person can read. */
export type Verdict =
  | { readonly kind: 'fresh'; readonly until: Epoch; readonly because: string }
  | {
      readonly kind: 'due';
      readonly reason: DueReason;
      readonly urgency: 'normal' | 'deadline' | 'critical';
      readonly because: string;
    }
  | { readonly kind: 'wait'; readonly until: Epoch; readonly because: string }
  | { readonly kind: 'blocked'; readonly because: string };

export type Judge = (terms: VerdictTerms, record: WishRecord | undefined, now: Epoch, policy: VerdictPolicy) => Verdict;
