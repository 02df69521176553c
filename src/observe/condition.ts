import type { FaultCode, Who } from '../fault/codes.ts';
import type { Epoch } from '../token/time.ts';

/**
 * Something that is wrong, since when, whose turn it is, and when it is tried next. Derived from the records by
 * `conditionsOf`, never stored: what is stored is what somebody was told of it (NoticeRecord).
 */
export interface Condition {
  /** Stable name of the condition, such as `account:atlas-pilot:login-needed`. */
  readonly key: string;
  readonly subject: { readonly kind: 'account' | 'wish' | 'target' | 'issuer' | 'state'; readonly name: string };
  readonly code: FaultCode | 'login-ends' | 'token-runs-out' | 'clock-skew' | 'write-back-failed';
  readonly severity: 'notice' | 'warning' | 'critical';
  readonly who: Who;
  readonly sentence: string;
  readonly hint?: string;
  readonly since: Epoch;
  readonly nextTry: Epoch | null;
  /** Grows in steps that are worth another message, such as `7d`, `3d`, `1d`. */
  readonly stage: string;
  /** Keys of conditions this one follows from; then only the root is shown first. */
  readonly causedBy?: string;
}
