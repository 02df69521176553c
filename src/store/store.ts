import type { AccountName, WishName } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import type { Epoch, Millis } from '../token/time.ts';
import type { StoreFinding } from './quarantine.ts';
import type {
  AccountRecord,
  AccountSecrets,
  DeliveryRecord,
  IssuerRecord,
  NoticeRecord,
  WishRecord,
} from './records.ts';

/** A wish as the configuration has it, for {@link Store.register}. */
export interface WishSeed {
  readonly name: WishName;
  readonly account: AccountName;
  readonly fingerprint: string;
}

export interface ClaimRequest {
  readonly now: Epoch;
  readonly limit: number;
  readonly node: string;
  /** After this a claim is void and others may take the wish; the fence tells the late one. */
  readonly lease: Millis;
  /** Only these, due or not (a pass over named wishes, `--force`, `get`). Absent: all that are due. */
  readonly names?: readonly WishName[];
}

/** A lock on an account, released by the kernel (or by its lease, on PostgreSQL) when its owner dies. */
export interface AccountLock extends AsyncDisposable {
  /** To be asked right before a credential is spent: a process that was suspended may have lost it. */
  stillOurs(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Records, durably. Two adapters (SQLite, PostgreSQL) and one contract suite, `test/store/store-contract.ts`.
 *
 * Contract: a promise that resolves means *on disk* (synced; writes of the same moment are committed together). Faults come as
 * Fault `state-*`; nothing is half done then. Times are given by the caller; the store has no clock of its own. No transaction
 * is held while the caller waits for anything else. Secrets are sealed before they reach the disk.
 */
export interface Store {
  /** Takes the configuration in: new wishes are due at once, changed ones too (keeping their token), absent ones are parked, returning ones kept. */
  register(seeds: readonly WishSeed[], now: Epoch): Promise<void>;
  /** As `register`, for these alone: what is not among them stays as it is. For sources that name their wishes one by one. */
  enrol(seeds: readonly WishSeed[], now: Epoch): Promise<void>;
  /** Keeps what is known of these, and makes none of them due until it is registered or enrolled again. */
  park(names: readonly WishName[]): Promise<void>;
  /** The names of wishes that were registered once and are not any more. */
  parked(): Promise<readonly WishName[]>;
  /** Deletes wishes, with their tokens and deliveries. Whoever is working on one of them finds out when they settle. */
  forgetWishes(names: readonly WishName[]): Promise<void>;
  wishes(names?: readonly WishName[]): Promise<readonly WishRecord[]>;
  /** Takes up to `limit` wishes for this node, soonest due first; each comes back with its new fence. Claims of others are left alone until their lease ends. */
  claim(request: ClaimRequest): Promise<readonly WishRecord[]>;
  /** Writes the outcome and ends the claim; refused with `state-conflict` if the fence is no longer ours. */
  settle(next: WishRecord, token?: AccessToken): Promise<void>;
  /** Ends the claims of processes of this host that died with them, so that nobody waits for their lease. */
  voidDeadClaims(): Promise<void>;
  /** Gives claims back untouched. */
  release(claims: readonly WishRecord[]): Promise<void>;
  /** The earliest time any kept wish is due that nobody else holds. */
  nextDue(): Promise<Epoch | null>;
  /** The token last settled for the wish. */
  token(wish: WishName): Promise<AccessToken | undefined>;
  /** Makes the wishes due at once, also those whose next try was set for later. */
  hasten(wishes: readonly WishName[], now: Epoch): Promise<void>;

  accounts(): Promise<readonly AccountRecord[]>;
  account(name: AccountName): Promise<AccountRecord | undefined>;
  secrets(name: AccountName): Promise<AccountSecrets>;
  /** Compare-and-swap: `next.generation` must be one above what is stored (1 for a new one), else `state-conflict`. Secrets given replace the stored ones. */
  saveAccount(next: AccountRecord, secrets?: AccountSecrets): Promise<void>;
  forgetAccount(name: AccountName): Promise<void>;
  /** Waits for the lock until the signal fires. */
  lockAccount(name: AccountName, signal: AbortSignal): Promise<AccountLock>;

  deliveries(): Promise<readonly DeliveryRecord[]>;
  deliveriesOf(wish: WishName): Promise<readonly DeliveryRecord[]>;
  saveDelivery(next: DeliveryRecord): Promise<void>;

  issuers(): Promise<readonly IssuerRecord[]>;
  saveIssuer(next: IssuerRecord): Promise<void>;
  /** Takes up to `want` requests from the issuer's bucket, shared by all nodes; says when the next one is there if none is. */
  drawBudget(
    issuer: string,
    want: number,
    perSecond: number,
    now: Epoch,
  ): Promise<{ readonly granted: number; readonly nextAt: Epoch }>;

  notices(): Promise<readonly NoticeRecord[]>;
  saveNotices(next: readonly NoticeRecord[]): Promise<void>;

  /** What was found damaged and put aside, oldest first; for `status`. */
  findings(): Promise<readonly StoreFinding[]>;

  /** The single `tokeep run` of this state; `state-second-run` if there is one already (exit 7). */
  lockRun(): Promise<AsyncDisposable>;
  close(): Promise<void>;
}
