import type { Session } from '../store/database.ts';
import type { Epoch } from '../token/time.ts';

/** What happened. `issued` and `refused` are about tokens; the others are acts of administration and of the server's clients. */
export type AuditEvent =
  | 'issued'
  | 'refused'
  | 'revoked'
  | 'replayed'
  | 'key-made'
  | 'key-imported'
  | 'key-published'
  | 'key-signing'
  | 'key-retired'
  | 'key-removed'
  | 'client-added'
  | 'client-changed'
  | 'client-removed';

/** One line. Never holds a token or another secret. */
export interface AuditEntry {
  readonly at: Epoch;
  readonly event: AuditEvent;
  /** Who did it or asked for it: `sign`, `renew ce-msu`, `client rucio`, `admin root`. */
  readonly by: string;
  readonly jti?: string;
  /** As it is, or a keyed hash of it, as issuer.yaml says. */
  readonly subject?: string;
  readonly audiences?: readonly string[];
  readonly scopes?: readonly string[];
  readonly expiresAt?: Epoch;
  readonly kid?: string;
  readonly deliveredTo?: readonly string[];
  /** The request of a server's client that led to it. */
  readonly requestId?: string;
  /** For `refused`, and for acts that need a reason: one sentence. */
  readonly reason?: string;
}

/** The end of a chain: whoever wrote it down elsewhere sees when the tail was cut off. */
export interface AuditHead {
  /** One chain per node: `local`, or the node's name where several share a database. */
  readonly chain: string;
  readonly seq: number;
  /** Hex SHA-256 over the hash before and the line. */
  readonly hash: string;
}

export interface AuditLine extends AuditHead {
  readonly entry: AuditEntry;
}

export type AuditVerdict =
  | { readonly kind: 'whole'; readonly heads: readonly AuditHead[]; readonly lines: number }
  | { readonly kind: 'broken'; readonly chain: string; readonly seq: number; readonly why: string };

export interface AuditQuery {
  readonly jti?: string;
  readonly since?: Epoch;
  readonly limit?: number;
}

/**
 * Append-only and hash-chained. Contract: a resolved `append` is on disk; `appendIn` becomes durable with the transaction it is
 * part of. Lines of a chain are numbered without gaps, whoever writes them. Nothing here changes or deletes a line, and the
 * database is told to refuse both (triggers in SQLite, rights in PostgreSQL).
 */
export interface AuditLog {
  append(entry: AuditEntry): Promise<AuditHead>;
  appendIn(session: Session, entry: AuditEntry): Promise<AuditHead>;
  heads(): Promise<readonly AuditHead[]>;
  lines(query: AuditQuery): Promise<readonly AuditLine[]>;
  /** Reads every chain from its beginning; `known` heads, written down earlier, must be in it. */
  verify(known?: readonly AuditHead[]): Promise<AuditVerdict>;
}
