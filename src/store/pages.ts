import { setImmediate as breathe } from 'node:timers/promises';
import type { Database, Row } from './database.ts';

/** A few milliseconds of reading and parsing: what somebody waits for takes several turns of the event loop, each as long as this. */
const pageSize = 100;

/** Names in parts of a page, with a breath after each whole one. */
export async function* nameParts<T>(names: readonly T[]): AsyncGenerator<readonly T[]> {
  for (let at = 0; at < names.length; at += pageSize) {
    const part = names.slice(at, at + pageSize);
    yield part;
    if (part.length === pageSize) await breathe();
  }
}

/**
 * All rows of a table by their key, a page at a time, with a breath between two pages: tens of thousands of rows at a time would hold up
 * everything else in the process. What is written meanwhile is in it or not.
 */
export async function* pages(
  database: Database,
  { columns, table, key }: { readonly columns: string; readonly table: string; readonly key: string },
): AsyncGenerator<readonly Row[]> {
  for (let after: string | undefined; ; ) {
    const where = after === undefined ? '' : ` WHERE ${key} > $1`;
    const values = after === undefined ? [] : [after];
    const rows = await database.read(
      `SELECT ${columns} FROM ${table}${where} ORDER BY ${key} LIMIT ${pageSize}`,
      values,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < pageSize) return;
    after = String(rows.at(-1)?.[key]);
    await breathe();
  }
}
