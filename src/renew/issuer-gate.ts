import type { IssuerLimits } from '../config/config.ts';
import type { Fault } from '../fault/fault.ts';
import type { IssuerRecord } from '../store/records.ts';
import {
  after,
  between,
  days,
  type Epoch,
  earliest,
  latest,
  type Millis,
  millis,
  minutes,
  seconds,
} from '../token/time.ts';

/** Failures in a row, over all credentials, after which an issuer is taken to be down. */
const failuresToOpen = 5;
const firstProbe = seconds(5);
const probeCap = minutes(5);
const widestSpread = minutes(1);
/** A Retry-After above this is taken for a mistake (scenario 23). */
const longestQuiet = days(1);

/** How one request to an issuer ended, as far as the issuer as a whole is concerned. */
export type IssuerResult =
  /** It answered like an issuer, be it with a refusal. */
  | { readonly kind: 'answered' }
  /** It asked everybody to come back later. */
  | { readonly kind: 'overloaded'; readonly retryAfter: Epoch }
  | { readonly kind: 'down'; readonly fault: Fault }
  /** Nothing was sent after all. */
  | { readonly kind: 'unused' };

/** One issuer as the gate sees it: a value, changed only by {@link admit} and {@link left}. */
export interface GateState {
  readonly circuit: IssuerRecord['circuit'];
  readonly notBefore: Epoch | null;
  /** When the quiet until `notBefore` began. */
  readonly quietSince: Epoch | null;
  readonly inFlight: number;
  /** Failures in a row while the circuit is closed. */
  readonly failures: number;
  readonly probing: boolean;
}

export const openGate: GateState = {
  circuit: { kind: 'closed' },
  notBefore: null,
  quietSince: null,
  inFlight: 0,
  failures: 0,
  probing: false,
};

/** What a request that was let through has to show when it comes back. */
export interface Pass {
  readonly role: 'probe' | 'ordinary';
  readonly at: Epoch;
}

export type Admission =
  | { readonly kind: 'go'; readonly state: GateState; readonly pass: Pass }
  /** A place will be free when somebody leaves. */
  | { readonly kind: 'full' }
  /** Nothing is sent before this time; those who wait come back within `spread` of it. */
  | { readonly kind: 'closed'; readonly until: Epoch; readonly spread: Millis };

/**
 * May one more request go out now? With the circuit open a single probe goes, when its time has come.
 * @param neededBy when the token at hand ends: half-way there one request goes even into a longer quiet, so that a try happens
 * while the token lives (scenario 23)
 */
export function admit(state: GateState, limits: IssuerLimits, now: Epoch, neededBy?: Epoch): Admission {
  if (state.circuit.kind === 'open') {
    // The others wait for what the probe finds.
    if (state.probing) return { kind: 'full' };
    const opensAt = latest(state.circuit.probeAt, state.notBefore ?? state.circuit.probeAt);
    // A probe further away than any pause we draw means that the clock was set back (scenario 19).
    if (now < opensAt && opensAt < after(now, longestPause(state))) return closed(opensAt, state.circuit.since);
    const pass = { role: 'probe', at: now } as const;
    return { kind: 'go', pass, state: { ...state, inFlight: state.inFlight + 1, probing: true } };
  }
  const quiet = quietUntil(state, now, neededBy);
  if (now < quiet) return closed(quiet, state.quietSince ?? now);
  if (state.inFlight >= limits.concurrency) return { kind: 'full' };
  return { kind: 'go', pass: { role: 'ordinary', at: now }, state: { ...state, inFlight: state.inFlight + 1 } };
}

/** How long everybody waits while the circuit is open; undefined while it is closed. */
export function openPause({ circuit }: GateState): { readonly until: Epoch; readonly spread: Millis } | undefined {
  return circuit.kind === 'open'
    ? { until: circuit.probeAt, spread: spreadOf(circuit.probeAt, circuit.since) }
    : undefined;
}

/** The longer it lasted, the more others come back at the same moment, here and on other hosts (scenario 24). */
const spreadOf = (until: Epoch, since: Epoch): Millis =>
  millis(Math.min(widestSpread, Math.max(0, between(since, until) / 4)));

const closed = (until: Epoch, since: Epoch): Admission => ({ kind: 'closed', until, spread: spreadOf(until, since) });

function quietUntil({ notBefore, quietSince }: GateState, now: Epoch, neededBy: Epoch | undefined): Epoch {
  if (notBefore === null) return now;
  const since = quietSince ?? now;
  // Longer than anything believed: the clock was set back.
  if (notBefore > after(now, longestQuiet)) return now;
  if (neededBy === undefined || neededBy <= now || notBefore < neededBy) return notBefore;
  return after(since, millis(between(since, neededBy) / 2));
}

function longestPause(state: GateState): Millis {
  return state.notBefore === null ? millis(2 * probeCap) : millis(25 * 3_600_000);
}

/**
 * One request ended. What a straggler found, let through before the circuit opened or the quiet began, does not undo them.
 * @param chance uniform in [0, 1)
 */
export function left(state: GateState, pass: Pass, result: IssuerResult, now: Epoch, chance: number): GateState {
  const probing = state.probing && pass.role === 'ordinary';
  const base = { ...state, inFlight: Math.max(0, state.inFlight - 1), probing };
  switch (result.kind) {
    case 'unused':
      return base;
    case 'answered': {
      const quiet = state.quietSince !== null && state.quietSince > pass.at;
      const { notBefore, quietSince } = quiet ? state : openGate;
      return { ...openGate, inFlight: base.inFlight, notBefore, quietSince };
    }
    case 'overloaded': {
      const { retryAfter } = result;
      const notBefore = earliest(latest(retryAfter, state.notBefore ?? retryAfter), after(now, longestQuiet));
      return { ...base, circuit: { kind: 'closed' }, failures: 0, probing: false, notBefore, quietSince: now };
    }
    case 'down':
      return state.circuit.kind === 'open' && pass.role === 'ordinary' ? base : down(base, now, chance);
  }
}

function down(base: GateState, now: Epoch, chance: number): GateState {
  const failures = base.failures + 1;
  if (failures < failuresToOpen && base.circuit.kind === 'closed') return { ...base, failures };
  const tries = base.circuit.kind === 'open' ? base.circuit.failures + 1 : 1;
  // Never under half the step: a probe is the only request, so it needs no full jitter against company.
  const pause = Math.min(probeCap, firstProbe * 2 ** Math.min(tries - 1, 10)) * (0.5 + chance / 2);
  const since = base.circuit.kind === 'open' ? base.circuit.since : now;
  return { ...base, failures, circuit: { kind: 'open', since, probeAt: after(now, millis(pause)), failures: tries } };
}
