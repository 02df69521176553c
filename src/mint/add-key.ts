import { Fault } from '../fault/fault.ts';
import type { Session } from '../store/database.ts';
import type { Epoch } from '../token/time.ts';
import type { AuditEvent } from './audit.ts';
import { takeTurn } from './engine.ts';
import type { OpenIssuer } from './issuer.ts';
import type { KeyPair } from './key-pair.ts';
import { insertKey, readKeys } from './key-table.ts';
import { refuseLeftKey } from './left-sealing-key.ts';
import { removeKeyFile, storePrivateKey } from './private-keys.ts';
import type { KeyHome, SigningKey } from './signing-key.ts';

/** One change of the keys at a time, on all nodes. */
export const takeKeysTurn = (session: Session, { engine }: Pick<OpenIssuer, 'engine'>): Promise<void> =>
  takeTurn(session, engine, 'keys');

export interface NewKey {
  readonly pair: KeyPair;
  readonly origin: SigningKey['origin'];
  readonly state: Exclude<SigningKey['state'], 'removed'>;
  readonly home: KeyHome['kind'];
  readonly now: Epoch;
  /** That verifiers know it already. */
  readonly published: boolean;
  readonly by: string;
  readonly reason?: string | undefined;
  /** When tokens that it signed elsewhere have ended. */
  readonly lastExpiry?: Epoch;
}

/** Takes a key in: its private half is stored first, then its record together with a line in the audit log. */
export async function addKey(issuer: OpenIssuer, wanted: NewKey): Promise<SigningKey> {
  const { pair, now, by, reason } = wanted;
  refuseSecond(await issuer.keys({ removed: true }), pair.jwk.kid, wanted.state);
  const { home, sealed } = await storePrivateKey(issuer.keyPlace, pair, wanted.home);
  const key = keyOf(wanted, home);
  const event: AuditEvent = wanted.origin === 'made' ? 'key-made' : 'key-imported';
  try {
    await issuer.database.write(async (session) => {
      await takeKeysTurn(session, issuer);
      const present = await readKeys(session);
      refuseSecond(
        present.map((record) => record.key),
        key.kid,
        key.state,
      );
      if (sealed !== undefined) await refuseLeftKey(session, sealed);
      await insertKey(session, { key, sealed });
      await issuer.audit.appendIn(session, {
        at: now,
        event,
        by,
        kid: key.kid,
        ...(reason === undefined ? {} : { reason }),
      });
    });
  } catch (thrown) {
    await removeOrphan(issuer, key);
    throw thrown;
  }
  issuer.lookAgain();
  return key;
}

/** A file whose record did not come about. Where that is in doubt (a connection that broke at the end) the file stays. */
async function removeOrphan(issuer: OpenIssuer, key: SigningKey): Promise<void> {
  try {
    const isRecorded = (await issuer.keys({ removed: true })).some(({ kid }) => kid === key.kid);
    if (!isRecorded) await removeKeyFile(issuer.keyPlace, key);
  } catch {
    // What went wrong first is told; a private key too many in a directory of ours does no harm.
  }
}

function keyOf({ pair, origin, state, now, published, lastExpiry }: NewKey, home: KeyHome): SigningKey {
  return {
    kid: pair.jwk.kid,
    algorithm: pair.algorithm,
    state,
    jwk: pair.jwk,
    home,
    origin,
    createdAt: now,
    ...(published ? { publishedAt: now } : {}),
    ...(state === 'signing' ? { signsSince: now } : {}),
    ...(state === 'retired' ? { retiredAt: now } : {}),
    ...(lastExpiry === undefined ? {} : { lastExpiry }),
  };
}

function refuseSecond(present: readonly SigningKey[], kid: string, state: SigningKey['state']): void {
  if (present.some((key) => key.kid === kid)) {
    throw new Fault('usage', `there is a key with the kid ${kid} already`, {
      hint: 'verifiers tell keys by their kid alone; give another one with --kid',
    });
  }
  const same = state === 'retired' ? undefined : present.find((key) => key.state === state);
  if (same === undefined) return;
  const what = state === 'signing' ? 'signs already' : 'is to sign next already';
  throw new Fault('usage', `the key ${same.kid} ${what}, and there is one at a time`, {
    hint: 'tokeep issuer list   # shows the keys; `tokeep issuer rotate` makes room, step by step',
  });
}
