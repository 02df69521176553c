import type { TokenRequest } from '../acquire/grant.ts';
import type { Account, Config } from '../config/config.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { CredentialHome, HomePorts } from './credential-home.ts';
import type { HeldSuccessors } from './held-successors.ts';
import type { IssuerDesk, Patience } from './issuer-desk.ts';
import type { IssuerMemory } from './issuer-memory.ts';
import type { Steps } from './steps.ts';

/** Everything the acting part of this room works with. The configuration is the one thing that changes (on reload). */
export interface RenewPorts extends HomePorts {
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
