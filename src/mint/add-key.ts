import { Fault } from '../fault/fault.ts';
import type { Session } from '../store/database.ts';
import type { Epoch } from '../token/time.ts';
import type { AuditEvent } from './audit.ts';
import { takeTurn } from './engine.ts';
import type { OpenIssuer } from './issuer.ts';
import type { KeyPair } from './key-pair.ts';
import { insertKey, readKeys } from './key-table.ts';
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
  /** The last look, with the keys that are there at that moment; throws when the key shall not come. */
  readonly check?: (present: readonly SigningKey[]) => void;
}

/** Takes a key in: its private half is stored first, then its record together with a line in the audit log. */
export async function addKey(issuer: OpenIssuer, wanted: NewKey): Promise<SigningKey> {
  const { pair, now, by, reason } = wanted;
  const { home, sealed } = await storePrivateKey(issuer.keyPlace, pair, wanted.home);
  const key = keyOf(wanted, home);
  const event: AuditEvent = wanted.origin === 'made' ? 'key-made' : 'key-imported';
  try {
    await issuer.database.write(async (session) => {
      await takeKeysTurn(session, issuer);
      const present = (await readKeys(session)).map((record) => record.key);
      refuseSecond(present, key);
      wanted.check?.(present);
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
    await removeKeyFile(issuer.keyPlace, key);
    throw thrown;
  }
  issuer.lookAgain();
  return key;
}

function keyOf({ pair, origin, state, now, published }: NewKey, home: KeyHome): SigningKey {
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
  };
}

function refuseSecond(present: readonly SigningKey[], key: SigningKey): void {
  if (present.some(({ kid }) => kid === key.kid)) {
    throw new Fault('usage', `there is a key with the kid ${key.kid} already`, {
      hint: 'verifiers tell keys by their kid alone; give another one with --kid',
    });
  }
  const same = present.find(({ state }) => state === key.state && state !== 'retired');
  if (same === undefined) return;
  const what = key.state === 'signing' ? 'signs already' : 'is to sign next already';
  throw new Fault('usage', `the key ${same.kid} ${what}, and there is one at a time`, {
    hint: 'tokeep issuer list   # shows the keys; `tokeep issuer rotate` makes room, step by step',
  });
}
