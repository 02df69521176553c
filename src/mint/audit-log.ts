import type { Database, Session, Value } from '../store/database.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { AuditEntry, AuditHead, AuditLine, AuditLog, AuditQuery, AuditVerdict } from './audit.ts';
import { auditLineOf, chainStart, headOf, lineOf, linkHash } from './audit-line.ts';
import { type Engine, takeTurn } from './engine.ts';
import { verifyChains } from './verify-audit.ts';

interface AuditLogParts {
  readonly database: Database;
  readonly engine: Engine;
  readonly url: IssuerUrl;
  /** The chain that this process writes to. */
  readonly chain: string;
  /** How a subject stands in the log. */
  readonly nameOf: (subject: string) => string;
}

const defaultLimit = 1_000;

/** The {@link AuditLog} in an issuer's database. Each line is chained to the one before it inside the transaction that writes it. */
export class DatabaseAuditLog implements AuditLog {
  readonly #parts: AuditLogParts;
  readonly #start: string;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
    this.#start = chainStart(parts.url, parts.chain);
  }

  async append(entry: AuditEntry): Promise<AuditHead> {
    return await this.#parts.database.write((session) => this.appendIn(session, entry));
  }

  async appendIn(session: Session, entry: AuditEntry): Promise<AuditHead> {
    const { engine, chain, nameOf } = this.#parts;
    await takeTurn(session, engine, `audit ${chain}`);
    const [last] = await session.rows(lastOfChain, [chain]);
    const line = lineOf(underName(entry, nameOf));
    const seq = Number(last?.['seq'] ?? 0) + 1;
    const hash = linkHash(last === undefined ? this.#start : String(last['hash']), line);
    await session.change(insertLine, [chain, seq, entry.at, entry.jti ?? null, line, hash]);
    return { chain, seq, hash };
  }

  async heads(): Promise<readonly AuditHead[]> {
    const rows = await this.#parts.database.read(
      `SELECT chain, seq, hash FROM issuer_audit AS line
       WHERE seq = (SELECT MAX(seq) FROM issuer_audit WHERE chain = line.chain) ORDER BY chain`,
    );
    return rows.map(headOf);
  }

  /** The last lines that fit, in the order of their times. */
  async lines({ jti, since, limit = defaultLimit }: AuditQuery): Promise<readonly AuditLine[]> {
    const values: Value[] = [limit];
    const conditions: string[] = [];
    if (jti !== undefined) conditions.push(`jti = $${values.push(jti)}`);
    if (since !== undefined) conditions.push(`at >= $${values.push(since)}`);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = await this.#parts.database.read(
      `SELECT chain, seq, line, hash FROM issuer_audit ${where} ORDER BY at DESC, chain DESC, seq DESC LIMIT $1`,
      values,
    );
    return rows.toReversed().map(auditLineOf);
  }

  async verify(known: readonly AuditHead[] = []): Promise<AuditVerdict> {
    return await verifyChains(this.#parts.database, this.#parts.url, known);
  }
}

const lastOfChain = 'SELECT seq, hash FROM issuer_audit WHERE chain = $1 ORDER BY seq DESC LIMIT 1';
const insertLine = 'INSERT INTO issuer_audit (chain, seq, at, jti, line, hash) VALUES ($1, $2, $3, $4, $5, $6)';

/** A subject that the log keeps to itself must not stand in a sentence beside its name either. */
function underName(entry: AuditEntry, nameOf: (subject: string) => string): AuditEntry {
  const { subject, reason } = entry;
  if (subject === undefined) return entry;
  const name = nameOf(subject);
  const hidden = name !== subject && subject !== '';
  return {
    ...entry,
    subject: name,
    ...(hidden && reason !== undefined ? { reason: reason.replaceAll(subject, () => name) } : {}),
  };
}
