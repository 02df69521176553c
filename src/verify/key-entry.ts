import type { Fault } from '../fault/fault.ts';
import { after, between, type Epoch, type Millis, type Mono, millis, mono } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { KeySet } from './jwks.ts';
import { firstKidPause } from './key-cache-schedule.ts';
import type { KeySource } from './trust.ts';

/** Keys as they were fetched. Both clocks are kept: the wall clock may be set, the other one stands still in a suspended machine. */
export interface KeptKeys {
  readonly set: KeySet;
  readonly text: string;
  readonly fetchedAt: Epoch;
  readonly fetchedMono: Mono;
  /** Fetched anew at this age. */
  readonly refreshAge: Millis;
}

export interface KeyTrouble {
  readonly fault: Fault;
  readonly since: Epoch;
  /** Failures in a row. */
  readonly count: number;
  /** No sooner is it tried again. */
  readonly nextTry: Mono;
  /** No sooner is an unknown kid a reason to try. */
  readonly nextKidTry: Mono;
}

/** What happened with the keys of an issuer; the numbers that libscitokens counts, and those of our own rules. */
export interface KeyCounters {
  fetched: number;
  fetchFailed: number;
  /** Spent on both, in milliseconds. */
  fetchTime: number;
  /** Uses of keys that should have been replaced and could not be. */
  staleUses: number;
  /** Looks that found only keys too old to be used. */
  expiredLooks: number;
  /** Looks for a kid that was not there. */
  unknownKids: number;
  /** Fetches not made because of an earlier failure, or because the kid was looked for just before. */
  heldOff: number;
}

/** The keys of one issuer, with all that is known of fetching them. Only the cache changes it. */
export interface KeyEntry {
  readonly issuer: string;
  readonly source: KeySource;
  kept: KeptKeys | undefined;
  trouble: KeyTrouble | undefined;
  /** When keys that nobody knew of may be looked for again, and the pause that led there. */
  kidGate: { readonly from: Mono; readonly pause: Millis };
  flight: Promise<void> | undefined;
  loading: Promise<void> | undefined;
  /** The newest keys on their way to the disk. Nobody waits for it who wants a verdict. */
  saving: Promise<void> | undefined;
  readonly counters: KeyCounters;
}

export function newEntry(issuer: string, source: KeySource): KeyEntry {
  return {
    issuer,
    source,
    kept: undefined,
    trouble: undefined,
    kidGate: { from: mono(Number.NEGATIVE_INFINITY), pause: firstKidPause },
    flight: undefined,
    loading: undefined,
    saving: undefined,
    counters: {
      fetched: 0,
      fetchFailed: 0,
      fetchTime: 0,
      staleUses: 0,
      expiredLooks: 0,
      unknownKids: 0,
      heldOff: 0,
    },
  };
}

/** The larger of both ages, so that neither a clock set back nor a suspended machine makes keys look younger. */
export function ageOf(kept: KeptKeys, clock: Clock): Millis {
  return millis(Math.max(between(kept.fetchedAt, clock.now()), between(kept.fetchedMono, clock.monotonic())));
}

/** Keys that were fetched before this process began, or an instant ago. */
export function keptSince(set: KeySet, text: string, fetchedAt: Epoch, refreshAge: Millis, clock: Clock): KeptKeys {
  const age = Math.max(0, between(fetchedAt, clock.now()));
  return { set, text, fetchedAt, fetchedMono: after(clock.monotonic(), millis(-age)), refreshAge };
}
