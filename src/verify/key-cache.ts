import { asFault, Fault } from '../fault/fault.ts';
import { after, between, type Epoch, epoch, type Millis, type Mono, millis, minutes } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { fetchKeys, type KeyFetch } from './fetch-keys.ts';
import { type KeySet, readKeySet } from './jwks.ts';
import {
  diskTime,
  failurePause,
  firstKidPause,
  type KeyCacheTimes,
  keyCacheTimes,
  kidPauseAfterFailure,
  nextKidPause,
  refreshAge,
} from './key-cache-schedule.ts';
import { ageOf, type KeptKeys, type KeyCounters, type KeyEntry, keptSince, newEntry } from './key-entry.ts';
import type { KeyStorage } from './key-storage.ts';
import type { KeySource } from './trust.ts';

/** What is missing: all usable keys of an issuer, or one with a kid that is not among them. */
export type Missing = 'keys' | 'kid';

export interface KeyCacheParts {
  readonly world: Pick<World, 'http' | 'clock' | 'random'>;
  readonly times?: Partial<KeyCacheTimes>;
  /** Where keys outlive the process. Without it they are in memory only. */
  readonly storage?: KeyStorage;
}

/** How it stands with the keys of an issuer, for people and for metrics. */
export interface KeyStanding {
  readonly issuer: string;
  /** `fixed`: given, never fetched. `stale`: usable, and a refresh has failed. `none`: none, or too old to be used. */
  readonly standing: 'fixed' | 'fresh' | 'stale' | 'none';
  readonly kids: readonly string[];
  readonly fetchedAt?: Epoch;
  readonly usableUntil?: Epoch;
  /** What is odd in the key set. */
  readonly remarks: readonly string[];
  readonly trouble?: { readonly fault: Fault; readonly since: Epoch };
}

/**
 * The keys of the issuers that are watched, in memory. Looking is synchronous and never leads to a request; requests are made in
 * the background when keys are due (`start`, `tend`), and, one at a time for each issuer, when somebody waits for keys that are
 * missing (`fetch`). Keys serve on while an issuer is away, for two days unless told (scenarios 21, 30, 43).
 *
 *     const keys = new KeyCache({ world });
 *     keys.watch('https://issuer.example', { kind: 'discovered' });
 *     const background = keys.start(signal);
 */
export class KeyCache {
  readonly #world: KeyCacheParts['world'];
  readonly #times: KeyCacheTimes;
  readonly #storage: KeyStorage | undefined;
  readonly #entries = new Map<string, KeyEntry>();

  /** Throws `config-invalid` for times that the profile does not allow. */
  constructor({ world, times, storage }: KeyCacheParts) {
    this.#world = world;
    this.#times = keyCacheTimes(times);
    this.#storage = storage;
  }

  /** From now on the keys of this issuer are looked after. Throws `config-invalid` for a key set at hand that is none. */
  watch(issuer: string, source: KeySource): void {
    const known = this.#entries.get(issuer);
    if (known !== undefined && JSON.stringify(known.source) === JSON.stringify(source)) return;
    const entry = newEntry(issuer, source);
    if (source.kind === 'jwks') {
      const set = givenKeys(source);
      entry.kept = keptSince(set, source.text, this.#world.clock.now(), millis(Infinity), this.#world.clock);
    }
    this.#entries.set(issuer, entry);
  }

  /** The keys of an issuer, if there are some that may be used; counts how it went. */
  look(issuer: string): KeySet | undefined {
    const entry = this.#entries.get(issuer);
    if (entry?.kept === undefined) return undefined;
    if (entry.source.kind === 'jwks') return entry.kept.set;
    if (!this.#isUsable(entry)) {
      entry.counters.expiredLooks += 1;
      return undefined;
    }
    if (entry.trouble !== undefined) entry.counters.staleUses += 1;
    return entry.kept.set;
  }

  /** Would `fetch` ask the issuer now? False while the last failure, or the last look for a kid, is too close. */
  mayFetch(issuer: string, missing: Missing): boolean {
    const entry = this.#entries.get(issuer);
    if (entry === undefined || entry.source.kind === 'jwks') return false;
    if (missing === 'kid') entry.counters.unknownKids += 1;
    const may = entry.flight !== undefined || entry.loading === undefined || this.#isOpen(entry, missing);
    if (!may) entry.counters.heldOff += 1;
    return may;
  }

  /**
   * Waits until there are keys, and the one that is named among them, as far as the issuer can be asked now; those who come
   * meanwhile wait for the same request. Never rejects: look again afterwards.
   */
  async fetch(issuer: string, kid?: string): Promise<void> {
    const entry = this.#entries.get(issuer);
    if (entry === undefined || entry.source.kind === 'jwks') return;
    const since = this.#world.clock.monotonic();
    await this.#load(entry);
    const usable = this.#isUsable(entry);
    if (usable && (kid === undefined || entry.kept?.set.byKid.has(kid) === true)) return;
    const missing = usable ? 'kid' : 'keys';
    if (entry.flight !== undefined || this.#isOpen(entry, missing)) await this.#refresh(entry, missing, since);
  }

  /** Refreshes the keys of an issuer in the background, if it is time for it. */
  tend(issuer: string): void {
    const entry = this.#entries.get(issuer);
    if (entry !== undefined && this.#isDue(entry)) void this.#refresh(entry, 'keys');
  }

  /** Asks for all keys that are missing or due, and waits: for the start of a service, or a command that asks once. */
  async ready(): Promise<void> {
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        await this.#load(entry);
        if (entry.flight !== undefined || this.#isDue(entry)) await this.#refresh(entry, 'keys');
        await this.#withinDiskTime(entry.saving);
      }),
    );
  }

  /** Asks for the keys of an issuer anew, however young those at hand are. */
  async renew(issuer: string): Promise<void> {
    const entry = this.#entries.get(issuer);
    if (entry === undefined || entry.source.kind === 'jwks') return;
    await this.#load(entry);
    await this.#refresh(entry, 'keys');
    await this.#withinDiskTime(entry.saving);
  }

  /** Waits for keys on their way to the disk: for the end of a program. */
  async saved(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ saving }) => this.#withinDiskTime(saving)));
  }

  /** Keeps all keys fresh until the signal fires; resolves then. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock } = this.#world;
    while (!signal.aborted) {
      for (const entry of this.#entries.values()) void this.#load(entry).then(() => this.tend(entry.issuer));
      await clock.sleep(lookEvery, signal).catch(() => {});
    }
  }

  standings(): readonly KeyStanding[] {
    return [...this.#entries.values()].map((entry) => this.#standing(entry));
  }

  standing(issuer: string): KeyStanding | undefined {
    const entry = this.#entries.get(issuer);
    return entry === undefined ? undefined : this.#standing(entry);
  }

  /** By issuer. */
  counters(): Readonly<Record<string, Readonly<KeyCounters>>> {
    return Object.fromEntries([...this.#entries.values()].map(({ issuer, counters }) => [issuer, { ...counters }]));
  }

  #isOpen({ kidGate, trouble }: KeyEntry, missing: Missing): boolean {
    const now = this.#world.clock.monotonic();
    if (missing === 'keys') return trouble === undefined || now >= trouble.nextTry;
    return now >= kidGate.from && (trouble === undefined || now >= trouble.nextKidTry);
  }

  #isUsable({ kept }: KeyEntry): boolean {
    return kept !== undefined && ageOf(kept, this.#world.clock) < this.#times.expiry;
  }

  #isDue({ source, kept, trouble, flight }: KeyEntry): boolean {
    const { clock } = this.#world;
    if (source.kind === 'jwks' || flight !== undefined) return false;
    if (trouble !== undefined) return clock.monotonic() >= trouble.nextTry;
    return kept === undefined || ageOf(kept, clock) >= kept.refreshAge;
  }

  /** One at a time for each issuer. */
  #refresh(entry: KeyEntry, missing: Missing, since = this.#world.clock.monotonic()): Promise<void> {
    entry.flight ??= this.#ask(entry, missing, since).finally(() => {
      entry.flight = undefined;
    });
    return entry.flight;
  }

  async #ask(entry: KeyEntry, missing: Missing, since: Mono): Promise<void> {
    const { clock } = this.#world;
    const started = clock.monotonic();
    const outcome = await fetchKeys(this.#world, placeOf(entry), since).catch(
      (thrown: unknown): KeyFetch => ({ kind: 'failed', fault: asFault(thrown, 'asked for the keys of an issuer') }),
    );
    entry.counters.fetchTime += between(started, clock.monotonic());
    if (outcome.kind === 'fetched') this.#take(entry, outcome, missing);
    else this.#noteFailure(entry, outcome, missing);
  }

  #take(entry: KeyEntry, outcome: Extract<KeyFetch, { kind: 'fetched' }>, missing: Missing): void {
    const { clock, random } = this.#world;
    const isNew = entry.kept?.text !== outcome.text;
    entry.counters.fetched += 1;
    entry.trouble = undefined;
    const age = refreshAge(outcome.freshFor, this.#times, random.unit());
    entry.kept = keptSince(outcome.set, outcome.text, clock.now(), age, clock);
    this.#closeKidGate(entry, isNew || missing === 'keys' ? firstKidPause : nextKidPause(entry.kidGate.pause));
    entry.saving = this.#save(entry, entry.kept, entry.saving);
  }

  /** One after the other, so that the newest stay. What cannot be kept on disk still serves in memory. */
  async #save({ issuer }: KeyEntry, { text, fetchedAt }: KeptKeys, before: Promise<void> | undefined): Promise<void> {
    await before;
    await this.#storage?.save(issuer, { text, fetchedAt }).catch(() => {});
  }

  /** A disk that hangs must not hold up whoever waits. */
  async #withinDiskTime(work: Promise<void> | undefined): Promise<void> {
    if (work === undefined) return;
    const done = new AbortController();
    await Promise.race([work, this.#world.clock.sleep(diskTime, done.signal).catch(() => {})]);
    done.abort();
  }

  /** Whatever is wrong there, the keys at hand serve on until their own age: an empty set or another name is no order to forget them. */
  #noteFailure(entry: KeyEntry, { fault, retryAfter }: Extract<KeyFetch, { kind: 'failed' }>, missing: Missing): void {
    const { clock, random } = this.#world;
    entry.counters.fetchFailed += 1;
    const count = (entry.trouble?.count ?? 0) + 1;
    const pause = failurePause(count, this.#isUsable(entry) ? 'usable' : 'none', random.unit(), retryAfter);
    const nextTry = after(clock.monotonic(), pause);
    const nextKidTry = after(clock.monotonic(), kidPauseAfterFailure(pause, retryAfter));
    entry.trouble = { fault, count, nextTry, nextKidTry, since: entry.trouble?.since ?? clock.now() };
    if (missing === 'kid') this.#closeKidGate(entry, nextKidPause(entry.kidGate.pause));
  }

  #closeKidGate(entry: KeyEntry, pause: Millis): void {
    entry.kidGate = { from: after(this.#world.clock.monotonic(), pause), pause };
  }

  /** Once: keys of an earlier process, which serve like those fetched, and are due by their age. */
  #load(entry: KeyEntry): Promise<void> {
    entry.loading ??= this.#storage === undefined ? Promise.resolve() : this.#withinDiskTime(this.#takeStored(entry));
    return entry.loading;
  }

  async #takeStored(entry: KeyEntry): Promise<void> {
    if (entry.source.kind === 'jwks' || this.#storage === undefined) return;
    const stored = await this.#storage.load(entry.issuer).catch(() => undefined);
    const { clock, random } = this.#world;
    if (stored === undefined || entry.kept !== undefined || stored.fetchedAt > clock.now()) return;
    const reading = readKeySet(stored.text);
    if (reading.kind === 'refused' || reading.set.keys.length === 0) return;
    const age = refreshAge(undefined, this.#times, random.unit());
    entry.kept = keptSince(reading.set, stored.text, stored.fetchedAt, age, clock);
  }

  #standing(entry: KeyEntry): KeyStanding {
    const { issuer, kept, source, trouble } = entry;
    const usable = this.#isUsable(entry);
    const standing = source.kind === 'jwks' ? 'fixed' : !usable ? 'none' : trouble === undefined ? 'fresh' : 'stale';
    const times =
      kept === undefined || source.kind === 'jwks'
        ? {}
        : { fetchedAt: kept.fetchedAt, usableUntil: epoch(kept.fetchedAt + this.#times.expiry) };
    return {
      issuer,
      standing,
      kids: [...(kept?.set.byKid.keys() ?? [])],
      remarks: kept?.set.remarks ?? [],
      ...times,
      ...(trouble === undefined ? {} : { trouble: { fault: trouble.fault, since: trouble.since } }),
    };
  }
}

/** No timer is longer, so that a suspended machine is noticed. */
const lookEvery = minutes(1);

function placeOf({ issuer, source }: KeyEntry): Parameters<typeof fetchKeys>[1] {
  if (source.kind === 'jwks') return { issuer, hosts: [] };
  const { caFile, hosts = [] } = source;
  return { issuer, hosts, ...(caFile === undefined ? {} : { caFile }) };
}

function givenKeys({ text, from }: Extract<KeySource, { kind: 'jwks' }>): KeySet {
  const reading = readKeySet(text);
  if (reading.kind === 'refused') throw new Fault('config-invalid', `${from} is no key set: ${reading.why}`);
  const { set } = reading;
  if (set.keys.length > 0) return set;
  const why = set.remarks.length === 0 ? '' : `: ${set.remarks.join('; ')}`;
  throw new Fault('config-invalid', `${from} has no key that can be used${why}`);
}
