import type { GrantOutcome, NoAnswer, ObtainedToken, RawAnswer } from '../acquire/grant.ts';
import { Fault } from '../fault/fault.ts';
import { after, type Epoch, type Millis, minutes, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { Entrance } from './issuer-desk.ts';
import { type GateState, type IssuerResult, openPause } from './issuer-gate.ts';
import { type AnswerTimes, timesOf } from './local-time.ts';
import { nextRecheck } from './schedule.ts';

/** What came of asking an issuer for one token. */
export type Asked =
  | {
      readonly kind: 'token';
      readonly obtained: ObtainedToken;
      readonly issuerOfCredential: string | undefined;
      readonly times: AnswerTimes;
    }
  | { readonly kind: 'failed'; readonly fault: Fault; readonly retryAfter: Epoch | undefined }
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'waits'; readonly fault: Fault; readonly until: Epoch; readonly spread: Millis };

/** What an outcome says about the issuer as a whole, for its circuit. */
export function issuerResult(outcome: GrantOutcome | NoAnswer): IssuerResult {
  if (outcome.kind === 'token' || outcome.kind === 'refused') return { kind: 'answered' };
  const { fault } = outcome;
  const retryAfter = outcome.kind === 'later' ? outcome.retryAfter : undefined;
  // One that does not say when is no better than one that is away: only the circuit keeps us from hammering it.
  if (fault.code === 'issuer-overloaded' && retryAfter !== undefined) return { kind: 'overloaded', retryAfter };
  return weather.has(fault.code) ? { kind: 'down', fault } : { kind: 'unused' };
}

const weather: ReadonlySet<string> = new Set([
  'issuer-overloaded',
  'issuer-unreachable',
  'issuer-timeout',
  'issuer-fault',
  'issuer-nonsense',
  'issuer-tls',
  'outcome-unknown',
]);

/** A refusal of the client itself concerns all wishes of the account; of what was asked, only this one. */
export const concernsAccount = (fault: Fault): boolean => fault.code === 'client-refused';

export function askedFrom(outcome: GrantOutcome, raw: RawAnswer, issuerOfCredential: string | undefined): Asked {
  switch (outcome.kind) {
    case 'token':
      return { kind: 'token', obtained: outcome, issuerOfCredential, times: timesOf(raw) };
    case 'refused':
      return { kind: 'refused', fault: outcome.fault };
    case 'later':
      return { kind: 'failed', fault: outcome.fault, retryAfter: outcome.retryAfter };
  }
}

export function askedFromNoAnswer({ fault }: NoAnswer): Asked {
  // Faults that a person has to mend (a wrong issuer string, an unreadable secret) are not weather.
  const lasting = fault.who === 'operator' && fault.code !== 'issuer-tls' && fault.code !== 'state-write-failed';
  return lasting ? { kind: 'refused', fault } : { kind: 'failed', fault, retryAfter: fault.retryAt };
}

/**
 * A failure while the whole issuer is down is not this wish's own: it waits for the circuit like all others, so that the one that
 * carried the probe does not come back last. A credential whose fate is unknown keeps its own, growing pause.
 */
export function inTheWeather(asked: Asked, gate: GateState): Asked {
  if (asked.kind !== 'failed' || asked.fault.code === 'outcome-unknown' || !weather.has(asked.fault.code)) return asked;
  const pause = openPause(gate);
  return pause === undefined ? asked : { kind: 'waits', fault: asked.fault, ...pause };
}

/** The issuer was not asked. */
export function notLetIn(entrance: Exclude<Entrance, { kind: 'in' }>, { clock }: World): Asked {
  if (entrance.kind === 'stale') {
    const slow = 'the issuer is slow: the turn of this token came too late, and it queues again';
    return { kind: 'waits', until: clock.now(), spread: seconds(5), fault: new Fault('issuer-timeout', slow) };
  }
  const { until, spread } = entrance;
  if (entrance.kind === 'crowded') {
    const crowd = 'the issuer is slow: many tokens wait for it already, and this one queues again';
    return { kind: 'waits', until, spread, fault: new Fault('issuer-timeout', crowd) };
  }
  const sentence = 'the issuer is down or asked for quiet; a single request tries it when its time comes';
  return { kind: 'waits', until, spread, fault: new Fault('issuer-unreachable', sentence) };
}

/** Nothing was sent, and looking again costs nobody anything: soon after somebody made room, also where the token is gone by then. */
export function noRoom(fault: Fault, { clock }: World): Asked {
  return { kind: 'waits', fault, until: after(clock.now(), seconds(15)), spread: seconds(30) };
}

/** The account is not worth asking for yet. */
export function heldBack(held: { readonly fault: Fault; readonly until: Epoch | null }, world: World): Asked {
  const until = held.until ?? nextRecheck(world.clock.now(), world.random.unit());
  return { kind: 'waits', fault: held.fault, until, spread: minutes(1) };
}
