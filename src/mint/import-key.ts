import { Fault } from '../fault/fault.ts';
import { lifetimeTable } from '../token/lifetimes.ts';
import type { Secret } from '../token/secret.ts';
import { after, millis } from '../token/time.ts';
import { addKey } from './add-key.ts';
import type { OpenIssuer } from './issuer.ts';
import { keyPairOf, readPrivatePem, thumbprint } from './key-pair.ts';
import type { SigningKey } from './signing-key.ts';

export interface ForeignKey {
  /** What openssl or the scitokens tools wrote. */
  readonly pem: Secret<'private_key'>;
  /** The one it is published under already; its thumbprint, unless told. */
  readonly kid?: string;
  /** `signing` where no key signs yet, else `next`, unless told. */
  readonly state?: 'next' | 'signing' | 'retired';
  /** That verifiers know it already: so it is taken to be with keys that sign or did, not with the next one, unless told. */
  readonly published?: boolean;
  readonly by: string;
}

/**
 * Takes over a key that was made elsewhere. Tokens that it signed there may be about for as long as the policy lets tokens live. Throws Fault
 * `signing-key-unusable`, and `usage` for a kid that cannot be one, or a key or a place that is taken.
 */
export async function importKey(issuer: OpenIssuer, foreign: ForeignKey): Promise<SigningKey> {
  const { kid, by } = foreign;
  refuseUnfitKid(kid);
  const pair = keyPairOf(readPrivatePem(foreign.pem.reveal()), kid);
  const present = await issuer.keys();
  const same = present.find(({ jwk }) => thumbprint(jwk) === thumbprint(pair.jwk));
  if (same !== undefined) throw new Fault('usage', `this key is here already, with the kid ${same.kid}`);
  const state = foreign.state ?? (present.some((key) => key.state === 'signing') ? 'next' : 'signing');
  const now = issuer.keyPlace.world.clock.now();
  const longest = millis(Math.max(issuer.settings.policy.lifetime.most, lifetimeTable.accessToken.most));
  return await addKey(issuer, {
    pair,
    origin: 'imported',
    state,
    home: issuer.settings.keys,
    now,
    published: foreign.published ?? state !== 'next',
    ...(state === 'next' ? {} : { lastExpiry: after(now, longest) }),
    by,
  });
}

/** Throws Fault `usage`. For whoever makes something before the key is taken over. */
export function refuseUnfitKid(kid: string | undefined): void {
  if (kid === undefined || /^[\x21-\x7e]{1,255}$/.test(kid)) return;
  throw new Fault('usage', `${JSON.stringify(kid)} is no kid: 1 to 255 characters of ASCII without blanks`);
}
