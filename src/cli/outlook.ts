import type { Config } from '../config/config.ts';
import { asFault } from '../fault/fault.ts';
import { createConditionLog } from '../observe/condition-log.ts';
import { conditionsOf } from '../observe/conditions.ts';
import type { Logger } from '../observe/log.ts';
import { type Counters, metricsText } from '../observe/metrics.ts';
import { writeTextfile } from '../observe/metrics-endpoint.ts';
import type { Notifier } from '../observe/notifier.ts';
import { statusReport } from '../observe/status.ts';
import type { Store } from '../store/store.ts';
import { between, type Mono, millis, minutes, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { gatherRecords } from './gather-records.ts';
import { notifierFor, tellPeople } from './tell-people.ts';

/** Looked at this often when nothing happened, and at most this often when much does. */
const calm = minutes(1);
const busy = seconds(5);
/** And never for more than this share of the time: with tens of thousands of tokens a look is work. */
const share = 20;

export interface OutlookDeps {
  readonly world: World;
  readonly store: Store;
  readonly log: Logger & Counters;
  config(): Config;
}

/** What the daemon tells the outside besides its log: conditions, messages to people, the metrics file. Never holds up a turn. */
export class Outlook {
  readonly #deps: OutlookDeps;
  readonly #logConditions: (conditions: ReturnType<typeof conditionsOf>) => void;
  #lastLook: Mono | undefined;
  #happened = false;
  #took = millis(0);
  readonly #over = new AbortController();
  #looking: Promise<void> | undefined;
  #notifier: { readonly of: Config; readonly it: Notifier } | undefined;

  constructor(deps: OutlookDeps) {
    this.#deps = deps;
    this.#logConditions = createConditionLog(deps.log);
  }

  /** Something was renewed, or failed: worth a look soon, also if the next turn is a minute away. */
  happened(): void {
    if (this.#happened) return;
    this.#happened = true;
    const soon = this.#deps.world.clock.sleep(busy, this.#over.signal).then(() => this.turn());
    soon.catch(() => {});
  }

  /** To be called at every turn; begins a look if it is time for one. */
  turn(): void {
    const now = this.#deps.world.clock.monotonic();
    const pause = millis(Math.max(this.#happened ? busy : calm, share * this.#took));
    if (this.#looking !== undefined || (this.#lastLook !== undefined && between(this.#lastLook, now) < pause)) return;
    this.#lastLook = now;
    this.#happened = false;
    this.#looking = this.#look().finally(() => {
      this.#took = between(now, this.#deps.world.clock.monotonic());
      this.#looking = undefined;
    });
  }

  async metrics(): Promise<string> {
    const { store, world, log } = this.#deps;
    return metricsText(statusReport(await gatherRecords(store), this.#deps.config(), world.clock.now()), {
      counters: log,
    });
  }

  /** Waits for a look that is under way; there is no other one after it. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { world, store, log } = this.#deps;
    const config = this.#deps.config();
    try {
      this.#logConditions(conditionsOf(await gatherRecords(store), config, world.clock.now()));
      await this.#publish(config.metrics?.textfile);
      await tellPeople(world, config, store, this.#notifierOf(config));
    } catch (thrown) {
      log.event('unexpected-fault', { doing: 'telling how things are', reason: asFault(thrown, 'looking').message });
    }
  }

  /** A metrics file that cannot be written silences nobody. */
  async #publish(textfile: string | undefined): Promise<void> {
    if (textfile === undefined) return;
    try {
      await writeTextfile(this.#deps.world, textfile, await this.metrics());
    } catch (thrown) {
      this.#deps.log.event('metrics-failed', { reason: asFault(thrown, `writing ${textfile}`).message });
    }
  }

  /** Kept while the configuration is the same: it knows which channels failed a moment ago. */
  #notifierOf(config: Config): Notifier {
    if (this.#notifier?.of !== config)
      this.#notifier = { of: config, it: notifierFor(this.#deps.world, config, this.#deps.log) };
    return this.#notifier.it;
  }
}
