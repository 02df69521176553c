import { Fault } from '../fault/fault.ts';
import type { JsonValue } from '../mint/policy.ts';
import type { PublicJwk, SigningKey } from '../mint/signing-key.ts';
import { hasPrivateHalf, publicHalf } from '../token/jwk.ts';
import { largestKeySet, mostKeys } from '../verify/jwks.ts';
import { jsonText } from './site.ts';

/** A key as somebody published it. */
export type PublishedKey = Readonly<Record<string, JsonValue>>;

export interface MergedKeys {
  /** What is to be published, by kid. */
  readonly keys: readonly PublishedKey[];
  /** Kids of others that stay: an issuer may have several access points, each with a key of its own. */
  readonly kept: readonly string[];
  /** Kids that were published and are not any more: our removed ones, and with `prune` those of others. */
  readonly dropped: readonly string[];
  readonly remarks: readonly string[];
}

/**
 * Our keys into a key set that may hold those of others. `ours` are all that we ever had: a removed one goes even where it is
 * published still. Throws `signing-key-missing` before an empty set, and `site-wrong` where another key has a kid of ours, or ours
 * make the set larger than verifiers read.
 */
export function mergeKeys(
  published: readonly JsonValue[],
  ours: readonly SigningKey[],
  wish: { readonly prune: boolean },
): MergedKeys {
  const current = ours.filter(({ state }) => state !== 'removed');
  if (current.length === 0) {
    throw new Fault(
      'signing-key-missing',
      'the issuer has no key to publish, and a set without keys locks everybody out',
      {
        hint: 'make one: tokeep issuer rotate',
      },
    );
  }
  const remarks: string[] = [];
  const own = new Map(ours.map((key) => [key.kid, key]));
  const others: PublishedKey[] = [];
  const dropped = new Set<string>();
  for (const entry of published) {
    if (!isKey(entry)) {
      remarks.push('an entry of the published set is no key, and is left out');
      continue;
    }
    const mine = own.get(kidOf(entry));
    if (mine === undefined && wish.prune) dropped.add(kidOf(entry) || 'a key without a kid');
    else if (mine === undefined) others.push(withoutPrivate(entry, remarks));
    else if (!isSameKey(entry, mine.jwk) && !wish.prune) throw clash(mine.kid);
    else if (mine.state === 'removed') dropped.add(mine.kid);
  }
  const keys = [...current.map(({ jwk }) => publicKey(jwk)), ...others].toSorted(byKid);
  const excess = excessOf(keys);
  if (excess !== undefined && excessOf(published.filter(isKey)) === undefined) throw tooMany(excess);
  if (excess !== undefined) remarks.push(`the key set ${excess}, and verifiers refuse all of it; it was so before`);
  return { keys, kept: others.map(kidOf), dropped: [...dropped], remarks };
}

/** What verifiers refuse as a whole; with the spaces that it is written with. */
function excessOf(keys: readonly PublishedKey[]): string | undefined {
  if (keys.length > mostKeys) return `has ${keys.length} keys, more than ${mostKeys}`;
  return jsonText({ keys }).length > largestKeySet ? `is larger than ${largestKeySet / 1024} KiB` : undefined;
}

const tooMany = (excess: string): Fault =>
  new Fault('site-wrong', `with our keys the published key set ${excess}, and verifiers would refuse all of it`, {
    hint: 'keys of others that nobody signs with any more have to go first; with --prune all of theirs do',
  });

export const isKey = (value: JsonValue): value is PublishedKey =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && 'kty' in value;

export const kidOf = ({ kid }: PublishedKey): string => (typeof kid === 'string' ? kid : '');

/** In code units and not by a language: the same order on every machine. Keys without a kid stay as they are, at the end. */
function byKid(one: PublishedKey, other: PublishedKey): number {
  const [left, right] = [kidOf(one), kidOf(other)];
  if (left === right) return 0;
  if (left === '' || right === '') return left === '' ? 1 : -1;
  return left < right ? -1 : 1;
}

/** Padding and zeros in front are spellings of the same number; scitokens' own tools write both. */
export function isSameKey(published: PublishedKey, ours: PublicJwk): boolean {
  if (published['kty'] !== ours.kty) return false;
  const members = ours.kty === 'EC' ? (['x', 'y'] as const) : (['n', 'e'] as const);
  return members.every((member) => number(published[member]) === number(ours[member]));
}

const number = (value: JsonValue | undefined): string =>
  Buffer.from(typeof value === 'string' ? value : '', 'base64url')
    .toString('hex')
    .replace(/^(00)+/, '');

/** In the order that people know from elsewhere, whatever order it was stored in. */
function publicKey({ kty, crv, x, y, n, e, kid, alg, use }: PublicJwk): PublishedKey {
  const members = { kty, crv, x, y, n, e, kid, alg, use };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as PublishedKey;
}

function withoutPrivate(key: PublishedKey, remarks: string[]): PublishedKey {
  if (hasPrivateHalf(key)) {
    remarks.push(
      `the published key ${kidOf(key)} held its private half, which is left out now; whoever read it can sign, so its owner has to replace it`,
    );
  }
  return publicHalf(key);
}

const clash = (kid: string): Fault =>
  new Fault('site-wrong', `the published key set has another key under the kid ${kid}, which is one of ours`, {
    hint: 'give one of them another kid; if the published one is of no use to anybody: --prune',
  });
