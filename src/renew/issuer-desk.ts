import type { IssuerLimits } from '../config/config.ts';
import { type Bucket, drawFrom, fullBucket } from '../store/budget.ts';
import type { IssuerRecord } from '../store/records.ts';
import { after, between, type Epoch, type Millis, type Mono, millis, minutes, seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { Random } from '../world/random.ts';
import { whenAborted } from '../world/when-aborted.ts';
import { admit, type GateState, type IssuerResult, left, openGate, type Pass } from './issuer-gate.ts';

/**
 * More than this wait for one issuer only where nobody could look again later: who waits holds a place among all that is under way, and an
 * issuer that hangs must leave some to the others (scenario 47).
 */
const longestQueue = 1000;
const shortestReturn = seconds(1);
const longestReturn = minutes(1);

/** The right to make one request; given back exactly once. */
export interface Ticket {
  leave(result: IssuerResult): void;
}
export type Entrance =
  | { readonly kind: 'in'; readonly ticket: Ticket }
  | { readonly kind: 'closed'; readonly until: Epoch; readonly spread: Millis }
  /** Too many wait already; there may be room then. */
  | { readonly kind: 'crowded'; readonly until: Epoch; readonly spread: Millis }
  /** Its turn came too late; it may queue again with a fresh claim. */
  | { readonly kind: 'stale' };

export interface DeskPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly limitsOf: (issuer: string) => IssuerLimits;
  /** Takes requests from the budget that all nodes share ({@link Store.drawBudget}). */
  readonly draw: (
    issuer: string,
    want: number,
    perSecond: number,
  ) => Promise<{ readonly granted: number; readonly nextAt: Epoch }>;
  /** Told when the circuit opens or closes or a Retry-After arrives. */
  readonly changed: (issuer: string, state: GateState, result: IssuerResult) => void;
}

/** What somebody in the queue can wait for. */
export interface Patience {
  /** When the token at hand ends. */
  readonly neededBy?: Epoch;
  /** When the claim is too old to begin a request with: somebody else may hold the wish before the answer is there. */
  readonly staleAt?: Epoch;
  /** Its wish is looked at again by itself, so that it need not stand in a queue that is long already. */
  readonly comesBack?: boolean;
}

interface Waiter {
  readonly resolve: (entrance: Entrance) => void;
  readonly reject: (reason: unknown) => void;
  /** It does not wait under its signal any more. */
  readonly forgetSignal: () => void;
  readonly neededBy: Epoch | undefined;
  readonly staleAt: Epoch | undefined;
}

interface Lane {
  readonly issuer: string;
  state: GateState;
  /** Requests drawn from the shared budget and not used yet. */
  allowance: number;
  /** Spaces what this process sends, since an allowance may be drawn early and used late. */
  pace: Bucket | undefined;
  pumping: boolean;
  /** Somebody came or left while the queue was being served. */
  changed: boolean;
  readonly queue: Set<Waiter>;
  /** Since when somebody waits without a break, and how many were let in meanwhile: how fast the queue moves. */
  busySince: Mono;
  letIn: number;
}

/** One queue per issuer, first come first served, paced by its gate. */
export class IssuerDesk {
  readonly #ports: DeskPorts;
  readonly #lanes = new Map<string, Lane>();

  constructor(ports: DeskPorts, known: readonly IssuerRecord[]) {
    this.#ports = ports;
    for (const record of known) {
      const lane = this.#lane(record.issuer);
      lane.state = { ...openGate, circuit: record.circuit, notBefore: record.notBefore, quietSince: ports.clock.now() };
    }
  }

  state(issuer: string): GateState {
    return this.#lanes.get(issuer)?.state ?? openGate;
  }

  /** Waits for a turn. Resolves with `closed` as soon as it is clear that nothing goes out for a while, or that it took too long. */
  enter(issuer: string, signal: AbortSignal, { neededBy, staleAt, comesBack }: Patience = {}): Promise<Entrance> {
    const { promise, resolve, reject } = Promise.withResolvers<Entrance>();
    if (signal.aborted) return Promise.reject(signal.reason);
    const lane = this.#lane(issuer);
    if (comesBack === true && lane.queue.size >= longestQueue) return Promise.resolve(this.#crowded(lane));
    if (lane.queue.size === 0) [lane.busySince, lane.letIn] = [this.#ports.clock.monotonic(), 0];
    const forgetSignal = whenAborted(signal, () => this.#dismiss(lane, waiter).reject(signal.reason));
    const waiter: Waiter = { resolve, reject, forgetSignal, neededBy, staleAt };
    lane.queue.add(waiter);
    void this.#pump(lane);
    return promise;
  }

  #lane(issuer: string): Lane {
    const known = this.#lanes.get(issuer);
    if (known !== undefined) return known;
    const lane: Lane = {
      issuer,
      state: openGate,
      allowance: 0,
      pace: undefined,
      pumping: false,
      changed: false,
      queue: new Set(),
      busySince: this.#ports.clock.monotonic(),
      letIn: 0,
    };
    this.#lanes.set(issuer, lane);
    return lane;
  }

  /** By when half of the queue will have gone, if it goes on as before. */
  #crowded({ busySince, letIn, queue }: Lane): Entrance {
    const { clock } = this.#ports;
    const half = (between(busySince, clock.monotonic()) / Math.max(1, letIn)) * (queue.size / 2);
    const pause = millis(Math.min(longestReturn, Math.max(shortestReturn, half)));
    return { kind: 'crowded', until: after(clock.now(), pause), spread: pause };
  }

  async #pump(lane: Lane): Promise<void> {
    lane.changed = true;
    if (lane.pumping) return;
    lane.pumping = true;
    try {
      // Between "nobody may go now" and our hearing of it somebody may have left: then it is not true any more.
      while (lane.changed) {
        lane.changed = false;
        while (lane.queue.size > 0 && (await this.#next(lane)));
      }
    } catch (thrown) {
      // The budget could not be drawn (the store is gone): nobody may go, and everybody hears why.
      for (const waiter of [...lane.queue]) this.#dismiss(lane, waiter).reject(thrown);
    } finally {
      lane.pumping = false;
    }
  }

  /** Serves the first in the queue, or says that it has to wait for somebody to leave. */
  async #next(lane: Lane): Promise<boolean> {
    const [first] = lane.queue;
    if (first === undefined) return false;
    const limits = this.#ports.limitsOf(lane.issuer);
    const now = this.#ports.clock.now();
    if (first.staleAt !== undefined && now >= first.staleAt) {
      this.#dismiss(lane, first).resolve({ kind: 'stale' });
      return true;
    }
    const admission = admit(lane.state, limits, now, first.neededBy);
    if (admission.kind === 'full') return false;
    if (admission.kind === 'closed') {
      this.#dismiss(lane, first).resolve(admission);
      return true;
    }
    if (lane.allowance < 1) {
      await this.#drawAllowance(lane, limits);
      return true;
    }
    const paced = drawFrom(lane.pace ?? fullBucket(limits.perSecond, now), 1, limits.perSecond, now);
    if (paced.granted === 0) {
      await this.#ports.clock.sleep(between(now, paced.nextAt));
      return true;
    }
    lane.pace = paced;
    lane.allowance -= 1;
    lane.letIn += 1;
    lane.state = admission.state;
    this.#dismiss(lane, first).resolve({ kind: 'in', ticket: this.#ticket(lane, admission.pass) });
    return true;
  }

  async #drawAllowance(lane: Lane, { perSecond }: IssuerLimits): Promise<void> {
    // A tenth of a second's worth at a time: few writes, and little is lost when a node dies.
    const want = Math.min(lane.queue.size, Math.max(1, Math.ceil(perSecond / 10)));
    const { granted, nextAt } = await this.#ports.draw(lane.issuer, want, perSecond);
    lane.allowance += granted;
    if (granted === 0) await this.#ports.clock.sleep(between(this.#ports.clock.now(), nextAt));
  }

  #ticket(lane: Lane, pass: Pass): Ticket {
    let open = true;
    return {
      leave: (result) => {
        if (!open) return;
        open = false;
        const before = lane.state;
        lane.state = left(before, pass, result, this.#ports.clock.now(), this.#ports.random.unit());
        if (before.circuit !== lane.state.circuit || before.notBefore !== lane.state.notBefore) {
          this.#ports.changed(lane.issuer, lane.state, result);
        }
        void this.#pump(lane);
      },
    };
  }

  #dismiss(lane: Lane, waiter: Waiter): Waiter {
    lane.queue.delete(waiter);
    waiter.forgetSignal();
    return waiter;
  }
}
