import { hash } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { JsonValue } from '../mint/policy.ts';
import type { Database, Row, Session } from '../store/database.ts';
import { unpack } from '../store/rows.ts';
import { type Epoch, epoch } from '../token/time.ts';

/** All refresh tokens that came out of one grant: what they are bound to (ISS-07), and until when, however often they rotate. */
export interface Family {
  readonly id: string;
  readonly client: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** Who acts for the subject (RFC 8693 section 4.1), which is not forgotten when a token is refreshed. */
  readonly act?: JsonValue;
  readonly audiences: readonly string[];
  readonly everyone: boolean;
  readonly startedAt: Epoch;
  readonly endsAt: Epoch;
}

/** A family as its row has it now. */
export interface KnownFamily {
  readonly family: Family;
  readonly generation: number;
  readonly revokedAt: Epoch | undefined;
}

/** Only this is kept of a refresh token (ISS-09): 256 bits of chance need no slow hash. */
export const refreshHash = (token: string): string => hash('sha256', token, 'base64url');

/** The family of a refresh token of any generation, held until the transaction ends: revocation and rotation go one after the other. */
export async function familyOfToken(
  session: Session,
  { sql }: Pick<Database, 'sql'>,
  token: string,
): Promise<KnownFamily | undefined> {
  const [row] = await session.rows(
    `SELECT id, generation, revoked_at, doc, sum FROM issuer_family
     WHERE id = (SELECT family FROM issuer_refresh WHERE hash = $1) ${sql.forUpdate}`,
    [refreshHash(token)],
  );
  return row === undefined ? undefined : familyIn(row);
}

/** For good; false if it was revoked already. */
export async function revokeFamily(session: Session, id: string, now: Epoch): Promise<boolean> {
  const changed = await session.change(
    'UPDATE issuer_family SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL',
    [id, now],
  );
  return changed === 1;
}

function familyIn(row: Row): KnownFamily {
  const id = String(row['id']);
  const family = unpack<Omit<Family, 'groups'> & Partial<Pick<Family, 'groups'>>>(id, row);
  if (family === undefined) {
    throw new Fault('state-broken', `the record of refresh token family ${id} was damaged, and is not used`);
  }
  const revoked = row['revoked_at'] ?? null;
  return {
    // Those of the first days were written down without groups.
    family: { ...family, groups: family.groups ?? [] },
    generation: Number(row['generation']),
    revokedAt: revoked === null ? undefined : epoch(Number(revoked)),
  };
}
