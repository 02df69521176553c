import type { Lookout } from '../condor/credmon-deps.ts';
import type { Config } from '../config/config.ts';
import { asFault } from '../fault/fault.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import type { Counters } from '../observe/metrics.ts';
import { serveMetrics } from '../observe/metrics-endpoint.ts';
import { counted } from '../observe/printable.ts';
import type { Store } from '../store/store.ts';
import type { ServeText } from '../world/text-server.ts';
import type { World } from '../world/world.ts';
import { JournalHeads } from './journal-heads.ts';
import { Outlook } from './outlook.ts';
import { Pulse } from './pulse.ts';
import { type ServiceManager, serviceManager } from './service-manager.ts';

export interface CredmonLookoutDeps {
  readonly world: World;
  readonly store: Store;
  readonly ownIssuers: OwnIssuers;
  readonly log: Logger & Counters;
  readonly base: Config;
  /** In the process without root. */
  readonly serveText: ServeText;
  readonly stop: AbortSignal;
}

/** What `tokeep run` tells the outside, told by the credmon. */
export class CredmonLookout implements Lookout {
  readonly #deps: CredmonLookoutDeps;
  readonly #heads: JournalHeads;
  readonly #manager: ServiceManager;
  readonly #pulse: Pulse;
  #outlook: Outlook | undefined;
  #server: AsyncDisposable | undefined;

  constructor(deps: CredmonLookoutDeps) {
    const { world, log, ownIssuers, stop } = deps;
    this.#deps = deps;
    this.#heads = new JournalHeads(ownIssuers, world.clock, log);
    this.#manager = serviceManager(world, log);
    this.#pulse = new Pulse(this.#manager);
    stop.addEventListener('abort', () => void this.#manager.tell('STOPPING=1'), { once: true });
  }

  opened(config: () => Config): void {
    const { world, store, log } = this.#deps;
    this.#outlook = new Outlook({ world, store, log, config });
  }

  async ready(tokens: number): Promise<void> {
    await this.#serve(this.#deps.base.metrics?.listen);
    await this.#manager.tell('READY=1', `STATUS=keeps ${counted(tokens, 'token')} of HTCondor's jobs fresh`);
  }

  async turn(): Promise<void> {
    this.#pulse.turned();
    this.#outlook?.turn();
    this.#heads.turn();
  }

  happened(): void {
    this.#outlook?.happened();
  }

  async end(): Promise<void> {
    this.#pulse.end();
    await this.#server?.[Symbol.asyncDispose]();
    await this.#outlook?.end();
    await this.#heads.end();
  }

  /** Metrics that cannot be served keep no token from being renewed. */
  async #serve(listen: string | undefined): Promise<void> {
    const { log, serveText, stop } = this.#deps;
    const outlook = this.#outlook;
    if (listen === undefined || outlook === undefined) return;
    const alive = () => this.#pulse.alive();
    try {
      const server = await serveMetrics(serveText, listen, {
        metrics: () => outlook.metrics(),
        alive,
        ready: () => alive() && !stop.aborted,
      });
      this.#server = server;
      log.event('metrics-listening', { address: server.address });
    } catch (thrown) {
      log.event('metrics-failed', { reason: asFault(thrown, 'serving metrics').message });
    }
  }
}
