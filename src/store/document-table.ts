import type { WishName } from '../token/names.ts';
import type { Clock } from '../world/clock.ts';
import type { Database, Row, Session } from './database.ts';
import { pages } from './pages.ts';
import { quarantine } from './quarantine.ts';
import type { DeliveryRecord, IssuerRecord, NoticeRecord } from './records.ts';
import { pack, unpack } from './rows.ts';

/** Joins the parts of a key so that no two keys look the same. */
const joined = (...parts: readonly string[]): string => JSON.stringify(parts);

/** Records that are small, keyed, and replaced whole. A damaged one is put aside and missing from then on: it can be learnt anew. */
class DocumentTable<T extends object> {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #table: 'delivery' | 'issuer' | 'notice';
  readonly #keyOf: (record: T) => string;

  constructor(database: Database, clock: Clock, table: 'delivery' | 'issuer' | 'notice', keyOf: (record: T) => string) {
    this.#database = database;
    this.#clock = clock;
    this.#table = table;
    this.#keyOf = keyOf;
  }

  async read(where = '', values: readonly string[] = []): Promise<readonly T[]> {
    const known: T[] = [];
    const take = async (row: Row) => {
      const record = unpack<T>(String(row['key']), row);
      if (record === undefined) await this.#putAside(row);
      else known.push(record);
    };
    if (where === '') {
      const all = { columns: 'key, doc, sum', table: this.#table, key: 'key' };
      for await (const page of pages(this.#database, all)) for (const row of page) await take(row);
      return known;
    }
    const rows = await this.#database.read(`SELECT key, doc, sum FROM ${this.#table} ${where} ORDER BY key`, values);
    for (const row of rows) await take(row);
    return known;
  }

  async save(records: readonly T[], extra?: (record: T) => { readonly wish: WishName }): Promise<void> {
    await this.#database.write(async (session) => {
      for (const record of records) await this.#saveOne(session, record, extra?.(record));
    });
  }

  async #saveOne(session: Session, record: T, extra?: { readonly wish: WishName }): Promise<void> {
    const key = this.#keyOf(record);
    const { doc, sum } = pack(key, record);
    const [column, place] = extra === undefined ? ['', ''] : [', wish', ', $4'];
    await session.change(
      `INSERT INTO ${this.#table} (key, doc, sum${column}) VALUES ($1, $2, $3${place})
       ON CONFLICT (key) DO UPDATE SET doc = excluded.doc, sum = excluded.sum`,
      [key, doc, sum, ...(extra === undefined ? [] : [extra.wish])],
    );
  }

  async #putAside(row: Row): Promise<void> {
    const name = String(row['key']);
    const sentence = `the ${this.#table} record of ${name} was damaged; it is learnt anew`;
    await this.#database.write(async (session) => {
      await quarantine(session, { what: this.#table, name, at: this.#clock.now(), sentence }, row);
      await session.change(`DELETE FROM ${this.#table} WHERE key = $1`, [name]);
    });
  }
}

/** Deliveries, keyed by wish, target and node. */
export function deliveryTable(database: Database, clock: Clock) {
  const table = new DocumentTable<DeliveryRecord>(database, clock, 'delivery', ({ wish, target, node }) =>
    joined(wish, target, node),
  );
  return {
    all: () => table.read(),
    of: (wish: WishName) => table.read('WHERE wish = $1', [wish]),
    save: (record: DeliveryRecord) => table.save([record], ({ wish }) => ({ wish })),
  };
}

export const issuerTable = (database: Database, clock: Clock) =>
  new DocumentTable<IssuerRecord>(database, clock, 'issuer', ({ issuer }) => issuer);

export const noticeTable = (database: Database, clock: Clock) =>
  new DocumentTable<NoticeRecord>(database, clock, 'notice', ({ key, channel }) => joined(key, channel));
