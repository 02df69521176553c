import type { IssuerLimits } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import { type Bucket, drawFrom, fullBucket } from '../store/budget.ts';
import { after, type Epoch, epoch, type Millis, millis } from '../token/time.ts';
import { EventQueue } from './event-queue.ts';
import { admit, type GateState, type IssuerResult, left, openGate, openPause } from './issuer-gate.ts';
import { nextTry, renewalPoint, waitUntil } from './schedule.ts';

/** A wish as the simulation knows it. */
export interface SimulatedWish {
  /** Index into {@link Scenario.issuers}. */
  readonly issuer: number;
  readonly life: Millis;
  /** Of the token at hand; null without one. */
  readonly expiresAt: Epoch | null;
  readonly dueAt: Epoch;
}

export interface SimulatedIssuer {
  readonly limits: IssuerLimits;
  /** When it is away. */
  readonly outages: readonly { readonly from: Epoch; readonly to: Epoch }[];
}

export interface Scenario {
  readonly from: Epoch;
  readonly to: Epoch;
  readonly wishes: readonly SimulatedWish[];
  readonly issuers: readonly SimulatedIssuer[];
  /** How long a request takes, answered or not. */
  readonly latency: Millis;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
}

export interface Gap {
  readonly wish: number;
  /** When its token ran out. */
  readonly from: Epoch;
  /** When it had one again; null if not within the scenario. */
  readonly to: Epoch | null;
}

export interface Simulated {
  readonly requests: readonly number[];
  /** The most requests any whole second saw, per issuer. */
  readonly busiestSecond: readonly number[];
  readonly mostInFlight: readonly number[];
  readonly gaps: readonly Gap[];
}

/** Runs the schedule, the limits and the circuit of the engine on a simulated clock. Pure, and about 100,000 renewals a second. */
export function simulate(scenario: Scenario): Simulated {
  return new Run(scenario).run();
}

const away = new Fault('issuer-unreachable', 'away in the simulation');

interface Lane {
  readonly issuer: SimulatedIssuer;
  gate: GateState;
  bucket: Bucket;
  /** Waiting for a place, in order. */
  queue: number[];
  requests: number;
  mostInFlight: number;
  second: number;
  inSecond: number;
  busiest: number;
}

/** Events below the number of wishes begin a try of that wish, those above end one. */
class Run {
  readonly #scenario: Scenario;
  readonly #events = new EventQueue();
  readonly #lanes: Lane[];
  readonly #expires: Float64Array;
  readonly #failures: Uint16Array;
  readonly #gaps: Gap[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#lanes = scenario.issuers.map((issuer) => ({
      issuer,
      gate: openGate,
      bucket: fullBucket(issuer.limits.perSecond, scenario.from),
      queue: [],
      requests: 0,
      mostInFlight: 0,
      second: 0,
      inSecond: 0,
      busiest: 0,
    }));
    this.#expires = Float64Array.from(scenario.wishes, ({ expiresAt }) => expiresAt ?? scenario.from);
    this.#failures = new Uint16Array(scenario.wishes.length);
    scenario.wishes.forEach((wish, index) => {
      this.#events.push(Math.max(scenario.from, wish.dueAt), index);
    });
  }

  run(): Simulated {
    const { to, wishes } = this.#scenario;
    while (this.#events.size > 0 && this.#events.soonest < to) {
      const now = epoch(this.#events.soonest);
      const event = this.#events.pop() ?? 0;
      if (event < wishes.length) this.#begin(event, now);
      else this.#end(event - wishes.length, now);
    }
    for (let wish = 0; wish < wishes.length; wish++) this.#noteGap(wish, to, null);
    return {
      requests: this.#lanes.map(({ requests }) => requests),
      busiestSecond: this.#lanes.map(({ busiest }) => busiest),
      mostInFlight: this.#lanes.map(({ mostInFlight }) => mostInFlight),
      gaps: this.#gaps,
    };
  }

  #laneOf(wish: number): Lane {
    const lane = this.#lanes[this.#scenario.wishes[wish]?.issuer ?? 0];
    if (lane === undefined) throw new RangeError(`wish ${wish} names an issuer that is not there`);
    return lane;
  }

  #begin(wish: number, now: Epoch): void {
    const lane = this.#laneOf(wish);
    const admission = admit(lane.gate, lane.issuer.limits, now);
    if (admission.kind === 'full') {
      lane.queue.push(wish);
      return;
    }
    if (admission.kind === 'closed') {
      this.#events.push(waitUntil(admission.until, admission.spread, this.#scenario.chance()), wish);
      return;
    }
    const drawn = drawFrom(lane.bucket, 1, lane.issuer.limits.perSecond, now);
    lane.bucket = drawn;
    if (drawn.granted === 0) {
      this.#events.push(drawn.nextAt, wish);
      return;
    }
    lane.gate = admission.state;
    count(lane, now);
    this.#events.push(after(now, this.#scenario.latency), this.#scenario.wishes.length + wish);
  }

  #end(wish: number, now: Epoch): void {
    const lane = this.#laneOf(wish);
    const sent = after(now, millis(-this.#scenario.latency));
    const down = lane.issuer.outages.some(({ from, to }) => from <= sent && sent < to);
    const result: IssuerResult = down ? { kind: 'down', fault: away } : { kind: 'answered' };
    const role = lane.gate.probing ? 'probe' : 'ordinary';
    lane.gate = left(lane.gate, { role, at: sent }, result, now, this.#scenario.chance());
    if (down) this.#failed(wish, now);
    else this.#renewed(wish, now);
    const waiting = lane.queue;
    lane.queue = [];
    // Whoever still finds no place queues up again, in the same order.
    for (const next of waiting) this.#begin(next, now);
  }

  #renewed(wish: number, now: Epoch): void {
    this.#noteGap(wish, now, now);
    const expiresAt = after(now, this.#scenario.wishes[wish]?.life ?? millis(0));
    this.#expires[wish] = expiresAt;
    this.#failures[wish] = 0;
    this.#events.push(renewalPoint(now, expiresAt, this.#scenario.chance()), wish);
  }

  #failed(wish: number, now: Epoch): void {
    const pause = openPause(this.#laneOf(wish).gate);
    if (pause !== undefined) {
      this.#events.push(waitUntil(pause.until, pause.spread, this.#scenario.chance()), wish);
      return;
    }
    const failures = Math.min(65_535, (this.#failures[wish] ?? 0) + 1);
    this.#failures[wish] = failures;
    const expiresAt = epoch(this.#expires[wish] ?? 0);
    const chance = this.#scenario.chance();
    this.#events.push(nextTry({ now, failures, expiresAt, retryAfter: undefined, chance }), wish);
  }

  #noteGap(wish: number, now: Epoch, to: Epoch | null): void {
    const ranOut = epoch(this.#expires[wish] ?? 0);
    if (ranOut < now && ranOut > this.#scenario.from) this.#gaps.push({ wish, from: ranOut, to });
  }
}

function count(lane: Lane, now: Epoch): void {
  const second = Math.floor(now / 1000);
  lane.inSecond = second === lane.second ? lane.inSecond + 1 : 1;
  lane.second = second;
  lane.busiest = Math.max(lane.busiest, lane.inSecond);
  lane.requests += 1;
  lane.mostInFlight = Math.max(lane.mostInFlight, lane.gate.inFlight);
}
