import type { ServiceManager } from './service-manager.ts';

/** A loop that has not turned for this long hangs: it turns at least once a minute. */
const hanging = 150_000;

/** Shows the service manager that the loop turns; a timer alone would say so of a loop that hangs. */
export class Pulse {
  readonly #timer: NodeJS.Timeout | undefined;
  #turnedAt = performance.now();

  constructor(manager: ServiceManager) {
    if (manager.watchdog === undefined) return;
    const beat = () => void (this.alive() ? manager.tell('WATCHDOG=1') : undefined);
    this.#timer = setInterval(beat, manager.watchdog / 3);
  }

  turned(): void {
    this.#turnedAt = performance.now();
  }

  alive(): boolean {
    return performance.now() - this.#turnedAt < hanging;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
