import { whenAborted } from '../../world/when-aborted.ts';
import type { Row, Screen } from './screen.ts';

interface Kept {
  renewals: number;
  checked: number;
  expiresAt: number | undefined;
  /** How long there was no valid token, in seconds. */
  without: number;
  note: string;
}

/** What was found out about a delivered token. */
export interface Found {
  /** As a line says it, such as `signature good, for https://se.example`. */
  readonly said: string;
  /** What the table shows beside it. */
  readonly note?: string;
}

export interface WatchParts {
  readonly screen: Screen;
  /** The tokens by name, and how each comes about. */
  readonly ways: Readonly<Record<string, string>>;
  /** Looks at the delivered token of this name. What it throws is a problem. */
  readonly check: (name: string) => Promise<Found>;
  /** What goes wrong after this fired is of no interest. */
  readonly stop: AbortSignal;
}

/** Follows the log of `tokeep run --json --verbose`: one JSON object a line. Each token is checked as soon as it is delivered. */
export class Watch {
  readonly kept = new Map<string, Kept>();
  readonly problems: string[] = [];
  readonly #parts: WatchParts;
  readonly #changed = new Set<() => void>();
  #checks: Promise<void> = Promise.resolve();

  constructor(parts: WatchParts) {
    this.#parts = parts;
    for (const name of Object.keys(parts.ways))
      this.kept.set(name, { renewals: 0, checked: 0, expiresAt: undefined, without: 0, note: '' });
  }

  line(text: string): void {
    const { screen, stop } = this.#parts;
    if (stop.aborted) return;
    const event = eventOf(text);
    const name = event['wish'] ?? '';
    const kept = this.kept.get(name);
    if (event['event'] === 'token-renewed' && kept !== undefined) {
      kept.renewals += 1;
      if (kept.expiresAt !== undefined) kept.without += Math.max(0, (Date.now() - kept.expiresAt) / 1000);
      kept.expiresAt = Date.parse(event['expiresAt'] ?? '');
      kept.note = '';
    } else if (event['event'] === 'delivered' && kept !== undefined) {
      this.#checks = this.#checks.then(() => this.#check(name, kept));
    } else if (event['event'] === 'renewal-failed' && event['code'] === 'token-none' && kept !== undefined) {
      kept.note = 'waits';
      screen.happened(screen.paint.dim(`${name.padEnd(7)} waits for the token that it is exchanged for`));
    } else if (event['event'] === 'renewal-failed' && kept !== undefined) {
      kept.note = 'tried again soon';
      screen.happened(screen.paint.warn(`${name.padEnd(7)} not renewed: ${event['reason']}`));
    } else if (event['event'] === 'issuer-down' || event['event'] === 'issuer-back') {
      screen.happened(screen.paint.warn(event['message'] ?? ''));
    }
    screen.show(this.rows());
  }

  rows(): readonly Row[] {
    return [...this.kept].map(([name, kept]) => ({ name, way: this.#parts.ways[name] ?? '', ...kept }));
  }

  /** Resolves when every delivered token so far was checked. */
  settled(): Promise<void> {
    return this.#checks;
  }

  /** Waits until this holds of what has been seen; rejects with the signal's reason. */
  async until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    while (!holds()) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#changed.add(resolve);
      const unlisten = whenAborted(signal, resolve);
      await promise;
      unlisten();
      this.#changed.delete(resolve);
    }
  }

  async #check(name: string, kept: Kept): Promise<void> {
    const { screen, check, stop } = this.#parts;
    try {
      const { said, note = '' } = await check(name);
      kept.checked += 1;
      kept.note = note;
      screen.happened(`${screen.paint.good(name.padEnd(7))} renewed, delivered, ${said}`);
    } catch (thrown) {
      if (stop.aborted) return;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.problems.push(`${name}: ${reason}`);
      screen.happened(screen.paint.bad(`${name}: ${reason}`));
    }
    screen.show(this.rows());
    for (const tell of this.#changed) tell();
  }
}

/** A line that is no event, such as a warning of Node's, says nothing here. */
function eventOf(line: string): Readonly<Record<string, string>> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
