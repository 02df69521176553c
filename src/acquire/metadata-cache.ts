import { Fault } from '../fault/fault.ts';
import type { IssuerUrl } from '../token/names.ts';
import { after, hours, type Millis, type Mono, minutes } from '../token/time.ts';
import type { Http } from '../world/http.ts';
import type { World } from '../world/world.ts';
import { fetchMetadata, type MetadataOutcome, type MetadataRequest } from './metadata.ts';

type Known = Extract<MetadataOutcome, { kind: 'metadata' }>;

interface Entry {
  known: Known | undefined;
  /** From here on it is asked for anew. */
  freshUntil: Mono;
  flight: Promise<MetadataOutcome> | undefined;
}

const lifetime = hours(1);
/** How often an issuer that does not answer is asked again while what it said last is used. */
const staleRetry = minutes(1);

/**
 * What issuers say of themselves, kept for an hour. One request at a time per issuer and CA; a failure is not remembered. When
 * the issuer does not answer, what it said last is used on; but an issuer that now calls itself otherwise is refused at once
 * (scenario 30).
 */
export class MetadataCache {
  readonly #world: World;
  readonly #entries = new Map<string, Entry>();

  constructor(world: World) {
    this.#world = world;
  }

  async get(request: MetadataRequest): Promise<MetadataOutcome> {
    const entry = this.#entryFor(request);
    if (entry.known !== undefined && this.#world.clock.monotonic() < entry.freshUntil) return entry.known;
    entry.flight ??= this.#refresh(entry, request).finally(() => {
      entry.flight = undefined;
    });
    return await orAborted(entry.flight, request.signal);
  }

  /** For an issuer whose endpoints turned out to have moved. */
  forget(issuer: IssuerUrl, caFile?: string): void {
    this.#entries.delete(keyOf(issuer, caFile));
  }

  #entryFor({ issuer, caFile }: MetadataRequest): Entry {
    const key = keyOf(issuer, caFile);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made: Entry = { known: undefined, freshUntil: this.#world.clock.monotonic(), flight: undefined };
    this.#entries.set(key, made);
    return made;
  }

  /** Others wait for the same flight, so it does not end when the one who began it gives up. */
  async #refresh(entry: Entry, { signal: _, ...request }: MetadataRequest): Promise<MetadataOutcome> {
    const outcome = await fetchMetadata(this.#world, request);
    if (outcome.kind === 'metadata') {
      entry.known = outcome;
      entry.freshUntil = this.#in(lifetime);
      return outcome;
    }
    if (entry.known === undefined || !passes(outcome.fault)) {
      entry.known = undefined;
      return outcome;
    }
    entry.freshUntil = this.#in(staleRetry);
    return entry.known;
  }

  #in(length: Millis): Mono {
    return after(this.#world.clock.monotonic(), length);
  }
}

const keyOf = (issuer: string, caFile: string | undefined): string => JSON.stringify([issuer, caFile]);

/** A name that changed, or a certificate that is not accepted, is no reason to go on as before. */
const passes = (fault: Fault): boolean => fault.code !== 'issuer-mismatch' && fault.code !== 'issuer-tls';

async function orAborted(flight: Promise<MetadataOutcome>, signal: AbortSignal | undefined): Promise<MetadataOutcome> {
  if (signal === undefined) return await flight;
  const { promise, resolve } = Promise.withResolvers<MetadataOutcome>();
  const gaveUp = () =>
    resolve({
      kind: 'failed',
      fault: new Fault('issuer-timeout', 'the wait for the metadata of the issuer was broken off on our side'),
      retryAfter: undefined,
    });
  if (signal.aborted) gaveUp();
  signal.addEventListener('abort', gaveUp, { once: true });
  try {
    return await Promise.race([flight, promise]);
  } finally {
    signal.removeEventListener('abort', gaveUp);
  }
}

const caches = new WeakMap<Http, MetadataCache>();

/** The cache that belongs to a world: one program has one. */
export function metadataCacheOf(world: World): MetadataCache {
  const known = caches.get(world.http);
  if (known !== undefined) return known;
  const made = new MetadataCache(world);
  caches.set(world.http, made);
  return made;
}
