import type { Config } from '../config/config.ts';
import type { ExitCode } from '../fault/codes.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import type { Spool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';
import type { CliIo } from './io.ts';

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  /** `--config FILE`; else TOKEEP_CONFIG, else the usual places. */
  readonly config?: string;
  /** `--state DIR`; stronger than the configuration's own. */
  readonly state?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** `--no-color` makes it false; otherwise colour is used where a terminal shows it and NO_COLOR is not set. */
  readonly color: boolean;
}

/** Ways to set text apart; each gives the text itself back where there is no colour. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

/**
 * What a command works with. Configuration, state directory, store and spool are opened when first asked for, once;
 * `close` closes what was opened. Messages go to stderr, results to stdout.
 */
export interface Context {
  readonly world: World;
  readonly io: CliIo;
  readonly options: GlobalOptions;
  /** Fires on SIGINT or SIGTERM: stop at the next safe point. */
  readonly signal: AbortSignal;
  /** What happens while it works, for engines: on stderr, in the form that suits it. */
  readonly log: Logger;
  /** Paint for stdout. */
  readonly paint: Paint;

  /** A line of the result, on stdout. */
  print(line: string): Promise<void>;
  /** The whole result as one JSON document on stdout, for `--json`. */
  printJson(value: unknown): Promise<void>;
  /** Progress and what was done, on stderr; silent with `--quiet`. */
  say(line: string): Promise<void>;
  /** A warning, on stderr, also with `--quiet`. */
  warn(line: string): Promise<void>;
  /** What only somebody who looks for a mistake wants to know: on stderr with `--verbose`. */
  detail(line: string): Promise<void>;

  /** Found and loaded; throws `config-missing` or `config-invalid` (unreadable as a whole). Its findings are warned of once. */
  config(): Promise<Config>;
  /** To be called when the store has taken the configuration in: lets `get` skip reading it while nothing of it changes. */
  configTaken(): Promise<void>;
  /** The directory of the state: `--state`, the configuration's, else the usual place. Not made yet. */
  stateDir(): Promise<string>;
  /** Prepares the state directory and opens the store in it. */
  store(): Promise<Store>;
  spool(): Promise<Spool>;
  /** Issuers whose keys are here; sealed ones open with the key of the state. */
  readonly ownIssuers: OwnIssuers;
  close(): Promise<void>;
}

/** What a command does, and the exit code it ends with. A Fault thrown gives its sentence and its own code. */
export type Work<Arguments extends readonly unknown[]> = (
  context: Context,
  ...args: Arguments
) => Promise<ExitCode | undefined>;
