import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Database, Row, Session } from '../store/database.ts';
import { box, unbox } from '../store/envelope.ts';
import { pack } from '../store/rows.ts';
import { type RefreshToken, Secret } from '../token/secret.ts';
import { type Epoch, epoch } from '../token/time.ts';
import type { Random } from '../world/random.ts';
import { type Family, familyOfToken, type KnownFamily, refreshHash } from './family-table.ts';
import type { RefreshRow } from './refresh-rotation.ts';

/** 256 bits of chance, without a dot: that tells it from a JWT. */
export const newRefreshToken = (random: Pick<Random, 'bytes'>): RefreshToken =>
  new Secret('refresh_token', random.bytes(32).toString('base64url'));

export interface PresentedRefresh {
  readonly row: RefreshRow;
  readonly known: KnownFamily;
}

/** A refresh token that somebody presents, with its family, which is held until the transaction ends. */
export async function findRefresh(
  session: Session,
  database: Pick<Database, 'sql'>,
  presented: string,
): Promise<PresentedRefresh | undefined> {
  const known = await familyOfToken(session, database, presented);
  if (known === undefined) return undefined;
  // After the family, which makes everybody else wait: so the row is read as it is now.
  const [row] = await session.rows(
    `SELECT family, generation, state, issued_at, ends_at, superseded_at, successor FROM issuer_refresh WHERE hash = $1`,
    [refreshHash(presented)],
  );
  return row === undefined ? undefined : { row: rowIn(row), known };
}

function rowIn(row: Row): RefreshRow {
  const { superseded_at: supersededAt, successor } = row;
  return {
    family: String(row['family']),
    generation: Number(row['generation']),
    state: row['state'] as RefreshRow['state'],
    issuedAt: epoch(Number(row['issued_at'])),
    endsAt: epoch(Number(row['ends_at'])),
    supersededAt: supersededAt == null ? undefined : epoch(Number(supersededAt)),
    successor: typeof successor === 'string' ? successor : undefined,
  };
}

/** Begins a family with its first token. */
export async function beginFamily(
  session: Session,
  family: Family,
  first: RefreshToken,
  times: { readonly now: Epoch; readonly endsAt: Epoch },
): Promise<void> {
  const { doc, sum } = pack(family.id, family);
  await session.change(
    'INSERT INTO issuer_family (id, client, generation, ends_at, doc, sum) VALUES ($1, $2, 1, $3, $4, $5)',
    [family.id, family.client, family.endsAt, doc, sum],
  );
  await insertToken(session, { family: family.id, generation: 1, token: first, ...times });
}

/** The successor takes the place of the one presented, which keeps it sealed for a repeat. The family's row is held. */
export async function supersede(
  session: Session,
  presented: string,
  { row, known }: PresentedRefresh,
  successor: RefreshToken,
  times: { readonly now: Epoch; readonly endsAt: Epoch },
): Promise<void> {
  const generation = known.generation + 1;
  const sealed = sealSuccessor(presented, successor, row);
  await session.change('UPDATE issuer_family SET generation = $2 WHERE id = $1', [row.family, generation]);
  await session.change(
    `UPDATE issuer_refresh SET state = 'superseded', superseded_at = $2, successor = $3 WHERE hash = $1`,
    [refreshHash(presented), times.now, sealed],
  );
  await insertToken(session, { family: row.family, generation, token: successor, ...times });
}

/** The current one was used, so the client has it: what came before is good for nothing any more. */
export async function spendPrevious(session: Session, family: string): Promise<void> {
  await session.change(
    `UPDATE issuer_refresh SET state = 'spent', successor = NULL WHERE family = $1 AND state = 'superseded'`,
    [family],
  );
}

interface NewToken {
  readonly family: string;
  readonly generation: number;
  readonly token: RefreshToken;
  readonly now: Epoch;
  readonly endsAt: Epoch;
}

async function insertToken(session: Session, { family, generation, token, now, endsAt }: NewToken): Promise<void> {
  await session.change(
    `INSERT INTO issuer_refresh (hash, family, generation, state, issued_at, ends_at) VALUES ($1, $2, $3, 'current', $4, $5)`,
    [refreshHash(token.reveal()), family, generation, now, endsAt],
  );
}

type Bound = Pick<RefreshRow, 'family' | 'generation'>;

/** Sealed with a key that comes out of the token before it, of which the table has only a hash. */
export function sealSuccessor(presented: string, successor: RefreshToken, bound: Bound): string {
  return box(keyOf(presented), Buffer.from(successor.reveal()), boundTo(bound)).toString('base64');
}

export function openSuccessor(presented: string, sealed: string, bound: Bound): RefreshToken {
  const text = unbox(keyOf(presented), Buffer.from(sealed, 'base64'), boundTo(bound)).toString('utf8');
  return new Secret('refresh_token', text);
}

const keyOf = (presented: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', presented, '', 'tokeep refresh token successor', 32)));

const boundTo = ({ family, generation }: Bound): Buffer => Buffer.from(JSON.stringify([family, generation]));
