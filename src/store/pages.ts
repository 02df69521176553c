import { setImmediate as breathe } from 'node:timers/promises';
import type { Database, Row } from './database.ts';

/** Some ten milliseconds of reading and parsing. */
const pageSize = 500;

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
