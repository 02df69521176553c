import type { Sealer } from './sealer.ts';

/**
 * Something outside the records that is sealed with the same key, such as the keys of an issuer. Contract: every method may be called
 * again after a change of the key that was broken off at any point, and throws a Fault with nothing half done.
 */
export interface Resealable {
  /** For people: `the issuer in /srv/issuer`. */
  readonly name: string;
  /** Throws when anything does not open with this sealer. */
  check(sealer: Sealer): Promise<void>;
  /** Puts everything under the sealer's first key, and says how many envelopes were changed. */
  reseal(sealer: Sealer): Promise<number>;
  /** From now on it refuses what somebody seals with this key, who has read the key file before it was changed. */
  leave(keyId: string): Promise<void>;
}

/** Says which ones held anything that was not under the new key yet. Afterwards all of it opens with that alone. */
export async function resealAll(
  all: readonly Resealable[],
  { ring, alone }: { readonly ring: Sealer; readonly alone: Sealer },
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const one of all) {
    if ((await one.reseal(ring)) > 0) changed.push(one.name);
    await one.check(alone);
  }
  return changed;
}
