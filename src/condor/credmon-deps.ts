import type { Config } from '../config/config.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import type { Sealer } from '../store/sealer.ts';
import type { Spool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';
import type { CredmonSettings } from './settings.ts';

/** What the credmon works with. The program opens all of it before, and closes it after. */
export interface CredmonDeps {
  /** Its `http` is the one of the process without root. */
  readonly world: World;
  readonly settings: CredmonSettings;
  /** Its process has started; until then, which is while the directory is read, what is asked of it waits. */
  readonly networkReady: Promise<void>;
  /** HTCondor's configuration anew; undefined if no file of it changed. Throws what reading it throws; the running one stays then. */
  reread(): Promise<CredmonSettings | undefined>;
  /** `limits`, `notify` and `metrics` of TOKEEP_CREDMON_CONFIG, or what holds without one. It has no accounts and no wishes. */
  readonly base: Config;
  /** The same as it is by now. Throws `config-invalid` for one that cannot be worked with, or that takes a restart; the running one stays then. */
  rebase(settings: CredmonSettings): Promise<Config>;
  readonly store: Store;
  readonly spool: Spool;
  readonly sealer: Sealer;
  readonly log: Logger;
  readonly node: string;
  /** Of this process, whom condor_credd is to signal. */
  readonly pid: number;
  readonly ownIssuers: OwnIssuers;
  /** Where `condor_config_val` and its kin lie; undefined: where the system looks for programs. */
  readonly condorBin?: string;
  readonly signals: { readonly stop: AbortSignal; readonly hurry: AbortSignal };
  /** SIGHUP: look now, and at HTCondor's configuration as well. */
  onHangup(listener: () => void): void;
  readonly lookout: Lookout;
}

/** What the credmon shows to the outside besides its log: conditions, messages to people, metrics, the service manager. None of it throws. */
export interface Lookout {
  /** Before the first turn: the configuration as it stands at any time, with the accounts and wishes of the directory. */
  opened(config: () => Config): void;
  /** The directory was read once as a whole. */
  ready(tokens: number): Promise<void>;
  /** At every turn, at least once a minute. */
  turn(): Promise<void>;
  /** Something was renewed, or failed. */
  happened(): void;
}
