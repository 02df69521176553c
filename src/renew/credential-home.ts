import type { Grant } from '../acquire/grant.ts';
import type { Account } from '../config/config.ts';
import type { Fault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { Reservation, Spool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';

/** An account's record and secrets, read under its lock. */
export interface KnownAccount {
  readonly record: AccountRecord;
  readonly secrets: AccountSecrets;
}

/** What a home works with. */
export interface HomePorts {
  readonly world: World;
  readonly store: Store;
  readonly spool: Spool;
  readonly log: Logger;
}

export type Ready =
  | ({ readonly kind: 'ready' } & KnownAccount)
  /** There is nothing to ask with. */
  | { readonly kind: 'none'; readonly fault: Fault };

export type Saved = 'reserved' | 'nowhere-yet';

/**
 * Where the credential of an account lies, for one rotation, and where its successors are saved: the store with its spool (`store-home.ts`), or a file that
 * another program reads, too (HTCondor's `.top`). All of it happens under the account's lock; the rotation has the order of the steps.
 *
 * Contract: what `reserve` gave is full and synced before it resolves, and what its `save` took survives anything. After a kill at any
 * step, `ready` gives the newest credential that was saved, and the record tells whether the fate of it is known.
 */
export interface CredentialHome extends AsyncDisposable {
  /** The credential as it really is now; a successor that a dead process left behind comes first. */
  ready(ports: HomePorts, account: Account, grant: Grant, signal: AbortSignal): Promise<Ready>;
  /** Room for a successor. Faults with `state-write-failed` before anything is spent, when there is none. */
  reserve(ports: HomePorts, account: Account, spends: AccountSecrets): Promise<Reservation>;
  /**
   * Puts the record of a successor on disk, as it then is. `where` says whether the reservation took the successor; where it did not (its
   * file system is full), the store may have to.
   */
  record(ports: HomePorts, next: AccountRecord, secrets: AccountSecrets, where: Saved): Promise<AccountRecord>;
  /** The answer was judged and the record is on disk. Never throws for what is only ours. */
  settled(ports: HomePorts, account: Account, record: AccountRecord): Promise<void>;
}
