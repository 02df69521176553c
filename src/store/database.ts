export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

/** Statements inside one transaction. Parameters are `$1`, `$2`, … in both databases. */
export interface Session {
  rows(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** How many rows were changed. */
  change(sql: string, values?: readonly Value[]): Promise<number>;
}

/**
 * The little that SQLite and PostgreSQL have in common and the tables need.
 *
 * Contract: `read` sees what is committed. `write` runs `work` in a transaction and resolves once it is on disk; when `work`
 * throws nothing of it stays, and what it threw comes out. `work` awaits nothing but its session: a SQLite transaction is
 * shared by the writes of the same moment, and must not be held open. Faults of the database come out as Fault `state-*`.
 */
export interface Database {
  /** For people. */
  readonly where: string;
  readonly sql: Dialect;
  read(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
  write<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Where the two languages differ. */
export interface Dialect {
  /** A subquery with the texts of a JSON array that is given as this parameter. */
  listed(parameter: string): string;
  /** Ends a `SELECT` whose rows are about to be changed: rows that somebody else is changing are passed over. */
  readonly skipLocked: string;
  /** Ends a `SELECT` of a row that is about to be changed: waits for others. */
  readonly forUpdate: string;
  /** Ends a `SELECT` of a row that must stay as it is until we commit: others may read it so too, and only changes wait. */
  readonly forShare: string;
}
