import { DatabaseSync } from 'node:sqlite';
import type { Database, Row, Session } from './database.ts';

/** What is worth saving, most precious first. Rows carry their own checksums, so that a wrong one is noticed when it is read. */
const precious = ['account', 'wish', 'token', 'delivery', 'notice', 'quarantine'] as const;

/** Copies the rows that can still be read from a damaged file into a fresh database; says how many there were. */
export async function salvage(from: string, into: Database): Promise<number> {
  let damaged: DatabaseSync;
  try {
    damaged = new DatabaseSync(from, { readOnly: true });
  } catch {
    return 0;
  }
  try {
    let count = 0;
    for (const table of precious) {
      const rows = readable(damaged, table);
      count += rows.length;
      await into.write((session) => copy(session, table, rows));
    }
    return count;
  } finally {
    damaged.close();
  }
}

/** The rows before the first page that cannot be read, from the front and from the back. */
function readable(damaged: DatabaseSync, table: string): readonly Row[] {
  const rows = new Map<unknown, Row>();
  for (const order of ['ASC', 'DESC']) {
    try {
      for (const row of damaged.prepare(`SELECT rowid AS place, * FROM ${table} ORDER BY rowid ${order}`).iterate()) {
        const { place, ...columns } = row as unknown as Row;
        rows.set(place, columns);
      }
    } catch {
      // The page that does not read; what came before it is kept.
    }
  }
  return [...rows.values()];
}

async function copy(session: Session, table: string, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row);
    const places = columns.map((_, i) => `$${i + 1}`);
    await session.change(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')}) ON CONFLICT DO NOTHING`,
      Object.values(row),
    );
  }
}
