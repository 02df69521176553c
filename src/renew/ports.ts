import type { TokenRequest } from '../acquire/grant.ts';
import type { Account, Config } from '../config/config.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import type { Spool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';
import type { CredentialHome } from './credential-home.ts';
import type { HeldSuccessors } from './held-successors.ts';
import type { IssuerDesk, Patience } from './issuer-desk.ts';
import type { IssuerMemory } from './issuer-memory.ts';
import type { Steps } from './steps.ts';

/** Everything the acting part of this room works with. The configuration is the one thing that changes (on reload). */
export interface RenewPorts {
  readonly world: World;
  readonly store: Store;
  readonly spool: Spool;
  readonly log: Logger;
  readonly desk: IssuerDesk;
  readonly issuers: IssuerMemory;
  readonly held: HeldSuccessors;
  readonly steps: Steps;
  /** Issuers whose keys are here, for accounts that sign themselves. */
  readonly ownIssuers: OwnIssuers;
  readonly node: string;
  homeOf(account: Account): CredentialHome;
  config(): Config;
}

/** One request on behalf of a wish. */
export interface Errand extends Patience {
  readonly request: TokenRequest;
  readonly signals: Signals;
  /** Asked for by a person: a refusal of the client is not waited out, since they may have mended it. */
  readonly forced?: boolean;
}

/** `waiting` ends what has not begun; `request` also what is on its way, whose outcome is then unknown. */
export interface Signals {
  readonly waiting: AbortSignal;
  readonly request: AbortSignal;
}
