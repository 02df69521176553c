import type { AccountName } from '../token/names.ts';
import type { Credential } from '../token/secret.ts';

/** Where a successor is about to be saved: already written full, synced, ours alone. */
export interface Reservation {
  /**
   * Seals the successor into the reserved place, syncs file and directory. After this it survives anything.
   * If the first place fails the second one is tried; a Fault `successor-unsaved` when none took it. May be called again.
   */
  save(successor: Credential, generation: number): Promise<void>;
  /** Nothing to save, or it is in the store now: gives the place back. */
  release(): Promise<void>;
}

export interface SpooledSuccessor {
  readonly credential: Credential;
  /** The account generation it was saved for. */
  readonly generation: number;
  /** After the store has it. */
  discard(): Promise<void>;
}

/** One file per account beside the store: the successor's first home. Contract suite: `test/store/spool-contract.ts`. */
export interface Spool {
  /** Faults with `state-write-failed` before anything is spent, when there is no room. */
  reserve(account: AccountName): Promise<Reservation>;
  /** A successor that a dead process left behind, from either place; whole ones only (others are moved aside). */
  pending(account: AccountName): Promise<SpooledSuccessor | undefined>;
}
