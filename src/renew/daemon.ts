import type { Config } from '../config/config.ts';
import { formatFinding } from '../config/finding.ts';
import { asFault } from '../fault/fault.ts';
import type { WishName } from '../token/names.ts';
import {
  after,
  between,
  type Epoch,
  earliest,
  type Millis,
  type Mono,
  millis,
  minutes,
  seconds,
} from '../token/time.ts';
import type { Engine } from './engine.ts';
import type { JobReport } from './job.ts';
import { deliverMissing, judgeAll } from './pass.ts';
import type { Signals } from './ports.ts';

/** Never sleep longer: a set clock or a suspended machine is noticed within this (scenarios 18 to 20). */
const longestSleep = seconds(60);
/** Wall and monotonic time may drift apart by this much before the clock is taken to have jumped. */
const jump = seconds(5);
/** How many wishes are worked on at a time; the issuers' own limits are far below. */
const mostInFlight = 2000;
/** Whether delivered files are still there is looked at this often. */
const sweepEvery = minutes(5);
const lookedAtAtATime = 100;
/** What other nodes renewed is looked for this often, and never for more than a fiftieth of the time. */
const newsEvery = seconds(5);
const newsShare = 50;

export interface DaemonControl {
  /** Ends the daemon: nothing new is begun, what is on its way is waited for. */
  readonly stop: AbortSignal;
  /** Ends also what is on its way; its outcome is then unknown, and tried again at the next start. */
  readonly hurry: AbortSignal;
  /** Told at every turn, at least once a minute: for watchdogs, metrics and notifications. Must not throw. */
  readonly onTurn: (state: { readonly inFlight: number }) => Promise<void>;
  readonly onReport?: (report: JobReport) => void;
}

/** Keeps every wish fresh until told to stop. Level, not edge: each turn looks at what is due now, whatever happened before. */
export class Daemon {
  readonly #engine: Engine;
  readonly #control: DaemonControl;
  readonly #signals: Signals;
  readonly #inFlight = new Set<Promise<void>>();
  #wake = Promise.withResolvers<void>();
  #nextSweep = 0 as Epoch;
  /** When the last look for deliveries began: a retry that was due by then was made, or cannot be (no target, no token any more). */
  #lookedAt = 0 as Epoch;
  /** Alone on its state a node looks for no news. */
  #nextNews = Number.POSITIVE_INFINITY as Epoch;
  #sweeping: Promise<void> | undefined;
  #wall: Epoch;
  #mono: Mono;

  constructor(engine: Engine, control: DaemonControl) {
    this.#engine = engine;
    this.#control = control;
    this.#signals = { waiting: control.stop, request: control.hurry };
    const { clock } = engine.ports.world;
    this.#wall = clock.now();
    this.#mono = clock.monotonic();
  }

  /** Makes the daemon look now instead of at its next turn. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Takes a new configuration if it has no errors, as a whole; otherwise the running one stays (scenario 35). */
  async reload(load: () => Promise<Config>): Promise<void> {
    const { log } = this.#engine.ports;
    const running = this.#engine.config.file;
    try {
      const config = await load();
      const error = config.findings.find(({ severity }) => severity === 'error');
      if (error !== undefined) {
        log.event('config-rejected', { config: config.file, reason: formatFinding(error) });
        return;
      }
      await this.#engine.adopt(config);
      log.event('config-reloaded', { config: config.file, wishes: config.wishes.size, accounts: config.accounts.size });
      this.#nextSweep = 0 as Epoch;
      this.wake();
    } catch (thrown) {
      log.event('config-rejected', { config: running, reason: asFault(thrown, 'reading the configuration').message });
    }
  }

  async run(): Promise<void> {
    const { stop } = this.#control;
    const wake = () => this.wake();
    stop.addEventListener('abort', wake, { once: true });
    while (!stop.aborted) {
      await this.#turn();
      await this.#pause();
    }
    // The store, the locks and held successors are given their time; `hurry` shortens requests, never a save.
    await Promise.all([...this.#inFlight, this.#sweeping]);
  }

  async #turn(): Promise<void> {
    const { log } = this.#engine.ports;
    try {
      await this.#noticeJump();
      this.#sweep();
      await this.#startDue();
    } catch (thrown) {
      // The store is busy or its disk is full: said, and tried again at the next turn.
      log.event('unexpected-fault', { doing: 'looking for what is due', reason: asFault(thrown, 'the turn').message });
    }
    await this.#control.onTurn({ inFlight: this.#inFlight.size });
  }

  async #startDue(): Promise<void> {
    const free = mostInFlight - this.#inFlight.size;
    if (free <= 0) return;
    for (const record of await this.#engine.claim(free)) {
      const job = this.#engine.run(record, { mode: 'daemon' }, this.#signals).then((report) => {
        if (report !== undefined) this.#control.onReport?.(report);
      });
      const tracked = job.finally(() => {
        this.#inFlight.delete(tracked);
        this.wake();
      });
      this.#inFlight.add(tracked);
    }
  }

  /**
   * Deliveries whose next try has come, what other nodes on the same database renewed, and targets that lost their token. Beside
   * the turns, one at a time: a target that hangs holds up no renewal (scenario 38).
   */
  #sweep(): void {
    const { clock } = this.#engine.ports.world;
    const now = clock.now();
    const retry = this.#engine.deliveries.soonestAfter(this.#lookedAt);
    const full = now >= this.#nextSweep;
    if (this.#sweeping !== undefined || !(full || now >= this.#nextNews || (retry !== undefined && retry <= now)))
      return;
    if (full) this.#nextSweep = after(now, sweepEvery);
    this.#lookedAt = now;
    this.#sweeping = this.#deliver(full ? 'places' : 'records').finally(() => {
      this.#sweeping = undefined;
      this.wake();
    });
  }

  async #deliver(look: 'records' | 'places'): Promise<void> {
    const { log, store, world } = this.#engine.ports;
    const began = world.clock.monotonic();
    try {
      // A `tokeep renew` beside us may have been killed.
      if (look === 'places') await store.voidDeadClaims();
      const all = [...this.#engine.config.wishes.keys()];
      // Part by part: tens of thousands of records at a time would hold up renewals, and fill the memory.
      for (let at = 0; at < all.length && !this.#control.stop.aborted; at += lookedAtAtATime) {
        await this.#deliverAmong(all.slice(at, at + lookedAtAtATime), look);
      }
      const took = between(began, world.clock.monotonic());
      if (this.#engine.config.store.kind === 'postgres')
        this.#nextNews = after(world.clock.now(), millis(Math.max(newsEvery, took * newsShare)));
    } catch (thrown) {
      log.event('unexpected-fault', {
        doing: 'looking for what is to be delivered',
        reason: asFault(thrown, 'the look').message,
      });
    }
  }

  async #deliverAmong(names: readonly WishName[], look: 'records' | 'places'): Promise<void> {
    const judged = await judgeAll(this.#engine, { mode: 'daemon' }, names);
    const fresh = judged.filter(({ verdict }) => verdict.kind !== 'due');
    const { onReport } = this.#control;
    await deliverMissing(this.#engine, fresh, onReport === undefined ? {} : { onReport }, 'now', look);
  }

  /** Wall and monotonic time went apart: the clock was set, or the machine slept. Everything is judged anew. */
  async #noticeJump(): Promise<void> {
    const { log, store, world } = this.#engine.ports;
    const wall = world.clock.now();
    const mono = world.clock.monotonic();
    const by = between(this.#wall, wall) - between(this.#mono, mono);
    this.#wall = wall;
    this.#mono = mono;
    if (Math.abs(by) <= jump) return;
    log.event('clock-jumped', { by: millis(by) });
    this.#nextSweep = 0 as Epoch;
    const due = (await judgeAll(this.#engine, { mode: 'daemon' })).filter(({ verdict }) => verdict.kind === 'due');
    await store.hasten(
      due.map(({ name }) => name),
      wall,
    );
  }

  async #pause(): Promise<void> {
    const { clock } = this.#engine.ports.world;
    if (this.#control.stop.aborted) return;
    const length = await this.#untilNext(clock.now());
    const slept = new AbortController();
    const sleep = clock.sleep(length, slept.signal).catch(() => {});
    await Promise.race([sleep, this.#wake.promise]);
    slept.abort();
    this.#wake = Promise.withResolvers<void>();
    if (this.#control.stop.aborted) this.#wake.resolve();
  }

  async #untilNext(now: Epoch): Promise<Millis> {
    const latestWake = after(now, longestSleep);
    if (this.#inFlight.size >= mostInFlight) return longestSleep;
    const due = await this.#engine.ports.store.nextDue().catch(() => null);
    const next = earliest(latestWake, due ?? latestWake, this.#untilSweep(latestWake));
    return millis(Math.max(20, between(now, next)));
  }

  /** The end of a sweep wakes us by itself. */
  #untilSweep(latestWake: Epoch): Epoch {
    if (this.#sweeping !== undefined) return latestWake;
    return earliest(
      this.#engine.deliveries.soonestAfter(this.#lookedAt) ?? latestWake,
      this.#nextSweep,
      this.#nextNews,
    );
  }
}
