import { Fault } from '../fault/fault.ts';
import { lifetimeTable } from '../token/lifetimes.ts';
import type { Secret } from '../token/secret.ts';
import { after, millis } from '../token/time.ts';
import { addKey } from './add-key.ts';
import type { OpenIssuer } from './issuer.ts';
import { type KeyPair, keyPairOf, readPrivatePem, thumbprint } from './key-pair.ts';
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
 * `signing-key-unusable`, and `usage` for a kid that cannot be one, a key or a place that is taken, or a key that was removed.
 */
export async function importKey(issuer: OpenIssuer, foreign: ForeignKey): Promise<SigningKey> {
  const { kid, by } = foreign;
  refuseUnfitKid(kid);
  const pair = keyPairOf(readPrivatePem(foreign.pem.reveal()), kid);
  const known = await issuer.keys({ removed: true });
  refuseKnown(known, pair);
  const state = foreign.state ?? (known.some((key) => key.state === 'signing') ? 'next' : 'signing');
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

/** By their public halves. One that was removed may be in other hands: under another kid it would sign for them again. */
function refuseKnown(known: readonly SigningKey[], { jwk }: KeyPair): void {
  const same = known.find((key) => thumbprint(key.jwk) === thumbprint(jwk));
  if (same === undefined) return;
  if (same.state !== 'removed') throw new Fault('usage', `this key is here already, with the kid ${same.kid}`);
  throw new Fault(
    'usage',
    `this key was removed here, where it had the kid ${same.kid}, and does not come back under any`,
    {
      hint: 'tokeep issuer rotate   # makes a new one when its time has come; with --now --reason TEXT at once',
    },
  );
}

/** Throws Fault `usage`. For whoever makes something before the key is taken over. */
export function refuseUnfitKid(kid: string | undefined): void {
  if (kid === undefined || /^[\x21-\x7e]{1,255}$/.test(kid)) return;
  throw new Fault('usage', `${JSON.stringify(kid)} is no kid: 1 to 255 characters of ASCII without blanks`);
}
