import { Fault } from '../fault/fault.ts';
import type { Database, Row, Session } from '../store/database.ts';
import { envelopeKeyId } from '../store/envelope.ts';
import { parse } from '../store/rows.ts';
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

/** The id of the sealing key that private halves are sealed with; undefined where none is. */
export async function sealingKeyId(database: Pick<Database, 'read'>): Promise<string | undefined> {
  const [row] = await database.read('SELECT sealed FROM issuer_key WHERE sealed IS NOT NULL LIMIT 1');
  return row === undefined ? undefined : envelopeKeyId(String(row['sealed']));
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

/** All of it, where another key takes its kid, or the same one comes back; the audit log keeps what the one before did. */
export async function replaceRecord(session: Session, { key, sealed }: KeyRecord): Promise<void> {
  await session.change('UPDATE issuer_key SET state = $2, last_expiry = $3, doc = $4, sealed = $5 WHERE kid = $1', [
    key.kid,
    key.state,
    key.lastExpiry ?? 0,
    docOf(key),
    sealed ?? null,
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

/** Throws Fault `state-broken` for a row that is none of ours: with half a key nothing is signed or published. */
function recordOf(row: Row): KeyRecord {
  const { kid, state, sealed } = row as Readonly<Record<string, unknown>>;
  const doc = parse<SigningKey>(String(row['doc']));
  if (typeof kid !== 'string' || !isState(state) || doc === undefined || !isKeyDoc(doc, kid)) throw brokenRecord(kid);
  const lastExpiry = Number(row['last_expiry']);
  const key: SigningKey = { ...doc, kid, state, ...(lastExpiry > 0 ? { lastExpiry: epoch(lastExpiry) } : {}) };
  return { key, sealed: sealed === null || sealed === undefined ? undefined : String(sealed) };
}

const states: ReadonlySet<unknown> = new Set<KeyState>(['next', 'signing', 'retired', 'removed']);
const isState = (state: unknown): state is KeyState => states.has(state);

const isText = (value: unknown): boolean => typeof value === 'string';
const isTimeOrNone = (value: unknown): boolean => value === undefined || Number.isFinite(value);

function isKeyDoc(doc: Readonly<Partial<Record<keyof SigningKey, unknown>>>, kid: string): boolean {
  const { algorithm, origin, createdAt, publishedAt, signsSince, retiredAt, removedAt } = doc;
  const [jwk, home] = [doc.jwk, doc.home] as readonly (Readonly<Record<string, unknown>> | null | undefined)[];
  const parts = algorithm === 'ES256' ? [jwk?.['x'], jwk?.['y']] : [jwk?.['n'], jwk?.['e']];
  return (
    jwk?.['kid'] === kid &&
    jwk['alg'] === algorithm &&
    jwk['kty'] === (algorithm === 'ES256' ? 'EC' : 'RSA') &&
    parts.every(isText) &&
    (home?.['kind'] === 'sealed' || (home?.['kind'] === 'file' && isText(home['path']))) &&
    (origin === 'made' || origin === 'imported') &&
    createdAt !== undefined &&
    [createdAt, publishedAt, signsSince, retiredAt, removedAt].every(isTimeOrNone)
  );
}

const brokenRecord = (kid: unknown): Fault =>
  new Fault(
    'state-broken',
    `the record of the key ${JSON.stringify(String(kid).slice(0, 300))} is not one that was written there`,
    {
      hint: 'keep a copy of the database as it is, and restore it from a backup',
    },
  );
