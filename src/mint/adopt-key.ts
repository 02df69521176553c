import { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import { takeKeysTurn } from './add-key.ts';
import type { AuditEntry } from './audit.ts';
import { refuseUnfitKid } from './import-key.ts';
import type { OpenIssuer } from './issuer.ts';
import { type KeyPair, keyPairOf, readPrivatePem, thumbprint } from './key-pair.ts';
import { insertKey, type KeyRecord, readKeys, replaceRecord, updateKey } from './key-table.ts';
import { refuseLeftKey } from './left-sealing-key.ts';
import { storePrivateKey } from './private-keys.ts';
import type { SigningKey } from './signing-key.ts';

export interface AdoptedKey {
  readonly pem: Secret<'private_key'>;
  readonly kid: string;
  readonly by: string;
  /** For the audit log: why the key changes. */
  readonly reason: string;
}

export type Adoption =
  | { readonly kind: 'unchanged' }
  /** `retired` signed before, and stays published. `replaced`: another key had this kid, and what it signed verifies nowhere any more. */
  | { readonly kind: 'adopted'; readonly retired?: string; readonly replaced?: true };

/**
 * Has this key sign from now on, whatever signed before: for an issuer whose key a configuration elsewhere names, and whose services know
 * it from there. All of it is one transaction, so that there is always one key that signs. The private half is sealed. Throws Fault
 * `signing-key-unusable`, and `usage` for a kid that cannot be one or a key that was removed here.
 */
export async function adoptKey(issuer: OpenIssuer, wanted: AdoptedKey): Promise<Adoption> {
  refuseUnfitKid(wanted.kid);
  const pair = keyPairOf(readPrivatePem(wanted.pem.reveal()), wanted.kid);
  if (planOf(await readKeys(issuer.database), pair).kind === 'signs') return { kind: 'unchanged' };
  const { sealed } = await storePrivateKey(issuer.keyPlace, pair, 'sealed');
  const now = issuer.keyPlace.world.clock.now();
  const adoption = await issuer.database.write(async (session): Promise<Adoption> => {
    await takeKeysTurn(session, issuer);
    const plan = planOf(await readKeys(session, issuer.database.sql.forUpdate), pair);
    if (plan.kind === 'signs') return { kind: 'unchanged' };
    if (sealed !== undefined) await refuseLeftKey(session, sealed);
    const log = (entry: Pick<AuditEntry, 'event' | 'kid'>) =>
      issuer.audit.appendIn(session, { at: now, by: wanted.by, reason: wanted.reason, ...entry });
    const { signing, sameKid } = plan;
    if (plan.replaces) await log({ event: 'key-removed', kid: wanted.kid });
    const retires = signing !== undefined && signing.kid !== wanted.kid ? signing : undefined;
    if (retires !== undefined) {
      await updateKey(session, { ...retires, state: 'retired', retiredAt: now });
      await log({ event: 'key-retired', kid: retires.kid });
    }
    const record = { key: signingKey(pair, now, sameKid), sealed };
    await (sameKid === undefined ? insertKey(session, record) : replaceRecord(session, record));
    await log({ event: sameKid === undefined || plan.replaces ? 'key-imported' : 'key-signing', kid: wanted.kid });
    return {
      kind: 'adopted',
      ...(retires === undefined ? {} : { retired: retires.kid }),
      ...(plan.replaces ? { replaced: true } : {}),
    };
  });
  issuer.lookAgain();
  return adoption;
}

type Plan =
  | { readonly kind: 'signs' }
  | {
      readonly kind: 'changes';
      readonly signing: SigningKey | undefined;
      /** What is recorded under this kid already: the same key, coming back, or another one (`replaces`). */
      readonly sameKid: SigningKey | undefined;
      readonly replaces: boolean;
    };

function planOf(records: readonly KeyRecord[], { jwk }: KeyPair): Plan {
  const keys = records.map(({ key }) => key);
  const isSame = (key: SigningKey) => thumbprint(key.jwk) === thumbprint(jwk);
  const removed = keys.find((key) => key.state === 'removed' && isSame(key));
  if (removed !== undefined) throw wasRemoved(removed);
  const signing = keys.find(({ state }) => state === 'signing');
  if (signing?.kid === jwk.kid && isSame(signing)) return { kind: 'signs' };
  const sameKid = keys.find(({ kid }) => kid === jwk.kid);
  return { kind: 'changes', signing, sameKid, replaces: sameKid !== undefined && !isSame(sameKid) };
}

/** One that comes back keeps what is known of it; that verifiers know it is what its configuration says. */
function signingKey(pair: KeyPair, now: Epoch, sameKid: SigningKey | undefined): SigningKey {
  const known = sameKid !== undefined && thumbprint(sameKid.jwk) === thumbprint(pair.jwk) ? sameKid : undefined;
  return {
    kid: pair.jwk.kid,
    algorithm: pair.algorithm,
    state: 'signing',
    jwk: pair.jwk,
    home: { kind: 'sealed' },
    origin: 'imported',
    createdAt: known?.createdAt ?? now,
    publishedAt: known?.publishedAt ?? now,
    signsSince: now,
    ...(known?.lastExpiry === undefined ? {} : { lastExpiry: known.lastExpiry }),
  };
}

const wasRemoved = ({ kid }: SigningKey): Fault =>
  new Fault('usage', `this key was removed here, where it had the kid ${kid}, and does not come back under any`, {
    hint: 'make another key for it, with another kid',
  });
