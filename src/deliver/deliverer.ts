import type { Target } from '../config/config.ts';
import type { TokenFacts } from '../store/records.ts';
import type { AccessToken } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import type { World } from '../world/world.ts';

/** What the record says of the last delivery to a target. */
export interface DeliveredToken {
  readonly fingerprint: string;
  /** When it had been done; null if that is not known. */
  readonly at: Epoch | null;
}

/**
 * Brings a token to one kind of target. One file per kind, one line in `deliver/deliverers.ts`.
 *
 * Contract: after `deliver` resolves the token is there, whole and durable, with owner, group and mode as asked; a reader never
 * saw a part of it. When it throws (Fault `target-refused` or `target-failed`), what was there before is untouched.
 */
export interface Deliverer<T extends Target = Target> {
  readonly kind: T['kind'];
  deliver(target: T, token: AccessToken, world: World, facts?: TokenFacts): Promise<void>;
  /** Does the token still lie there? Cheap; `unknown` where it cannot be told (exec). */
  check(target: T, delivered: DeliveredToken, world: World): Promise<'there' | 'gone' | 'unknown'>;
  /** Deletes what was delivered (account removed, wish dropped on purpose). */
  withdraw(target: T, world: World): Promise<void>;
}
