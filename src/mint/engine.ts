import { createHash } from 'node:crypto';
import type { Session } from '../store/database.ts';

/** Which database an issuer lies in: a few things they do not have in common. */
export type Engine = 'sqlite' | 'postgres';

/**
 * Holds others of the same name off until the transaction ends. PostgreSQL needs to be told; SQLite has one writer at a time anyway.
 */
export async function takeTurn(session: Session, engine: Engine, name: string): Promise<void> {
  if (engine === 'postgres') await session.rows('SELECT pg_advisory_xact_lock($1)', [lockNumber(name)]);
}

/** 48 bits, which both sides hold without loss. */
function lockNumber(name: string): number {
  return createHash('sha256').update(`tokeep issuer\0${name}`).digest().readUIntBE(0, 6);
}
