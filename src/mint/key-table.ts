import type { Database, Row, Session } from '../store/database.ts';
import { type Epoch, epoch } from '../token/time.ts';
import type { KeyState, SigningKey } from './signing-key.ts';

/** A key as it lies in the table; what is sealed stays so. */
export interface KeyRecord {
  readonly key: SigningKey;
  readonly sealed: string | undefined;
}

const columns = 'kid, state, last_expiry, doc, sealed';

/** In the order of their making. */
export async function readKeys(
  source: Pick<Database, 'read'> | Session,
  forUpdate = '',
): Promise<readonly KeyRecord[]> {
  const read = 'read' in source ? source.read.bind(source) : source.rows.bind(source);
  const rows = await read(`SELECT ${columns} FROM issuer_key ${forUpdate}`);
  return rows.map(recordOf).toSorted((one, other) => one.key.createdAt - other.key.createdAt);
}

export async function insertKey(session: Session, { key, sealed }: KeyRecord): Promise<void> {
  await session.change(`INSERT INTO issuer_key (${columns}) VALUES ($1, $2, $3, $4, $5)`, [
    key.kid,
    key.state,
    key.lastExpiry ?? 0,
    docOf(key),
    sealed ?? null,
  ]);
}

/** Everything but `lastExpiry`, which only grows, by {@link raiseLastExpiry}. Removed keys lose their private half here. */
export async function updateKey(session: Session, key: SigningKey): Promise<void> {
  const drop = key.state === 'removed' ? ', sealed = NULL' : '';
  await session.change(`UPDATE issuer_key SET state = $2, doc = $3${drop} WHERE kid = $1`, [
    key.kid,
    key.state,
    docOf(key),
  ]);
}

export async function replaceSealed(session: Session, kid: string, sealed: string): Promise<void> {
  await session.change('UPDATE issuer_key SET sealed = $2 WHERE kid = $1 AND sealed IS NOT NULL', [kid, sealed]);
}

export async function raiseLastExpiry(session: Session, kid: string, to: Epoch): Promise<void> {
  await session.change('UPDATE issuer_key SET last_expiry = $2 WHERE kid = $1 AND last_expiry < $2', [kid, to]);
}

/** State and expiry are columns, since they are searched for or changed on their own. */
function docOf({ kid: _kid, state: _state, lastExpiry: _lastExpiry, ...doc }: SigningKey): string {
  return JSON.stringify(doc);
}

function recordOf(row: Row): KeyRecord {
  const doc = JSON.parse(String(row['doc'])) as Omit<SigningKey, 'kid' | 'state' | 'lastExpiry'>;
  const lastExpiry = Number(row['last_expiry']);
  const key: SigningKey = {
    ...doc,
    kid: String(row['kid']),
    state: String(row['state']) as KeyState,
    ...(lastExpiry > 0 ? { lastExpiry: epoch(lastExpiry) } : {}),
  };
  const { sealed } = row;
  return { key, sealed: sealed === null || sealed === undefined ? undefined : String(sealed) };
}
