import { Fault } from '../fault/fault.ts';
import type { AccountName, WishName } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import { type Epoch, hours } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { Database, Row, Session } from './database.ts';
import { nameParts, pages } from './pages.ts';
import { quarantine } from './quarantine.ts';
import type { WishRecord } from './records.ts';
import { pack, unpack } from './rows.ts';
import type { Sealer } from './sealer.ts';
import type { ClaimRequest } from './store.ts';

/** What is not a column. */
export type WishDoc = Omit<WishRecord, 'name' | 'account' | 'wished' | 'state' | 'dueAt' | 'fence'>;

/** A claim that ends later than this was made by a clock that was wrong; it does not count (scenario 19). */
const longestLease = hours(1);

const columns = 'name, account, wished, state, due_at, fence, doc, sum';

export const freshWish = (fingerprint: string): WishDoc => ({
  fingerprint,
  token: null,
  renewAt: null,
  failures: 0,
  trouble: null,
  remark: null,
  renewals: 0,
});

function join(row: Row, doc: WishDoc): WishRecord {
  return {
    name: row['name'] as WishName,
    account: row['account'] as AccountName,
    fingerprint: doc.fingerprint,
    wished: String(row['wished']),
    state: row['state'] as WishRecord['state'],
    token: doc.token,
    renewAt: doc.renewAt,
    dueAt: row['due_at'] as Epoch,
    failures: doc.failures,
    trouble: doc.trouble,
    remark: doc.remark,
    fence: Number(row['fence']),
    renewals: doc.renewals,
  };
}

const split = (wish: WishRecord): WishDoc => ({
  fingerprint: wish.fingerprint,
  token: wish.token,
  renewAt: wish.renewAt,
  failures: wish.failures,
  trouble: wish.trouble,
  remark: wish.remark,
  renewals: wish.renewals,
});

export const sealedAs = (wish: string, fence: number) => ({ record: `wish ${wish}`, generation: fence });

/** Wishes and the access tokens last obtained for them. */
export class WishTable {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(database: Database, sealer: Sealer, clock: Clock) {
    this.#database = database;
    this.#sealer = sealer;
    this.#clock = clock;
  }

  async read(names?: readonly WishName[]): Promise<readonly WishRecord[]> {
    const known: WishRecord[] = [];
    const damaged: Row[] = [];
    const take = (row: Row) => {
      const doc = unpack<WishDoc>(String(row['name']), row);
      if (doc === undefined) damaged.push(row);
      else known.push(join(row, doc));
    };
    if (names === undefined) {
      for await (const page of pages(this.#database, { columns, table: 'wish', key: 'name' })) page.forEach(take);
    } else {
      const listed = `SELECT ${columns} FROM wish WHERE name IN (${this.#database.sql.listed('$1')})`;
      for await (const part of nameParts(names)) {
        (await this.#database.read(listed, [JSON.stringify(part)])).forEach(take);
      }
    }
    if (damaged.length === 0) return known;
    await this.#database.write(async (session) => {
      for (const row of damaged) known.push(await this.#mend(session, row));
    });
    return known;
  }

  async parked(): Promise<readonly WishName[]> {
    const rows = await this.#database.read(`SELECT name FROM wish WHERE state = 'parked'`);
    return rows.map((row) => row['name'] as WishName);
  }

  /** @param holder as {@link endClaims} knows it: the last word names the process */
  async claim(request: ClaimRequest, holder: string): Promise<readonly WishRecord[]> {
    const { now, limit, names } = request;
    const { sql } = this.#database;
    const until = now + Math.min(request.lease, longestLease);
    const whose =
      names === undefined
        ? 'ready_at <= $1'
        : `name IN (${sql.listed('$5')}) AND (held_until IS NULL OR held_until <= $1)`;
    const take = `WITH chosen (chosen_name) AS MATERIALIZED
        (SELECT name FROM wish WHERE state = 'kept' AND ${whose} ORDER BY ready_at LIMIT $2 ${sql.skipLocked})
      UPDATE wish SET fence = fence + 1, holder = $3, held_until = $4, ready_at = $4
      FROM chosen WHERE name = chosen_name RETURNING ${columns}`;
    return await this.#database.write(async (session) => {
      await session.change(
        'UPDATE wish SET holder = NULL, held_until = NULL, ready_at = due_at WHERE held_until > $1',
        [now + longestLease],
      );
      const rows = await session.rows(take, [
        now,
        limit,
        holder,
        until,
        ...(names === undefined ? [] : [JSON.stringify(names)]),
      ]);
      const claimed: WishRecord[] = [];
      for (const row of rows) {
        const doc = unpack<WishDoc>(String(row['name']), row);
        claimed.push(doc === undefined ? await this.#mend(session, row) : join(row, doc));
      }
      return claimed.sort((a, b) => a.dueAt - b.dueAt);
    });
  }

  async settle(next: WishRecord, token?: AccessToken): Promise<void> {
    const { doc, sum } = pack(next.name, split(next));
    const sealed = token === undefined ? undefined : this.#sealer.seal(token, sealedAs(next.name, next.fence));
    await this.#database.write(async (session) => {
      const changed = await session.change(
        `UPDATE wish SET due_at = $1, ready_at = $1, holder = NULL, held_until = NULL, doc = $2, sum = $3
         WHERE name = $4 AND fence = $5`,
        [Math.ceil(next.dueAt), doc, sum, next.name, next.fence],
      );
      if (changed === 0) {
        throw new Fault('state-conflict', `the claim on ${next.name} (fence ${next.fence}) is no longer ours`);
      }
      if (sealed === undefined) return;
      await session.change(
        `INSERT INTO token (wish, fence, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (wish) DO UPDATE SET fence = excluded.fence, sealed = excluded.sealed`,
        [next.name, next.fence, sealed],
      );
    });
  }

  async release(claims: readonly WishRecord[]): Promise<void> {
    await this.#database.write(async (session) => {
      for (const { name, fence } of claims) {
        await session.change(
          'UPDATE wish SET holder = NULL, held_until = NULL, ready_at = due_at WHERE name = $1 AND fence = $2',
          [name, fence],
        );
      }
    });
  }

  /** Gives back whatever this claimant still holds. */
  async endClaims(claimant: string): Promise<void> {
    const held = "held_until IS NOT NULL AND holder LIKE '% ' || $1";
    const rows = await this.#database.read(`SELECT name FROM wish WHERE ${held} LIMIT 1`, [claimant]);
    if (rows.length === 0) return;
    await this.#database.write((session) =>
      session.change(`UPDATE wish SET holder = NULL, held_until = NULL, ready_at = due_at WHERE ${held}`, [claimant]),
    );
  }

  async nextDue(): Promise<Epoch | null> {
    const [row] = await this.#database.read(`SELECT ready_at FROM wish WHERE state = 'kept' ORDER BY ready_at LIMIT 1`);
    return row === undefined ? null : (row['ready_at'] as Epoch);
  }

  async hasten(wishes: readonly WishName[], now: Epoch): Promise<void> {
    const names = JSON.stringify(wishes);
    await this.#database.write(async (session) => {
      await session.change(
        `UPDATE wish SET due_at = $1, ready_at = CASE WHEN held_until IS NULL THEN $1 ELSE ready_at END
         WHERE due_at > $1 AND name IN (${this.#database.sql.listed('$2')})`,
        [now, names],
      );
      const named = `SELECT name, doc, sum FROM wish WHERE name IN (${this.#database.sql.listed('$1')})`;
      for (const row of await session.rows(named, [names])) await waitNoLonger(session, row, now);
    });
  }

  async token(wish: WishName): Promise<AccessToken | undefined> {
    const [row] = await this.#database.read('SELECT wish, fence, sealed FROM token WHERE wish = $1', [wish]);
    if (row === undefined) return undefined;
    try {
      return this.#sealer.open('access_token', String(row['sealed']), sealedAs(wish, Number(row['fence'])));
    } catch (thrown) {
      // Another key: settled by a process that was started before the key was changed.
      if (!(thrown instanceof Fault) || !['seal-damaged', 'seal-wrong-key'].includes(thrown.code)) throw thrown;
      await this.#dropToken(row, wish);
      return undefined;
    }
  }

  /** A damaged access token is no loss: it is put aside and the wish is due for a new one. */
  async #dropToken(row: Row, wish: WishName): Promise<void> {
    const now = this.#clock.now();
    await this.#database.write(async (session) => {
      const sentence = `the stored token of ${wish} was damaged; a new one is asked for`;
      await quarantine(session, { what: 'token', name: wish, at: now, sentence }, row);
      await session.change('DELETE FROM token WHERE wish = $1 AND fence = $2', [wish, Number(row['fence'])]);
      await this.#startAfresh(session, wish, now);
    });
  }

  async #mend(session: Session, row: Row): Promise<WishRecord> {
    const name = row['name'] as WishName;
    const now = this.#clock.now();
    const sentence = `the record of ${name} was damaged; it starts afresh and is due at once`;
    await quarantine(session, { what: 'wish', name, at: now, sentence }, row);
    await this.#startAfresh(session, name, now);
    return join({ ...row, due_at: now }, freshWish(String(row['wished'])));
  }

  async #startAfresh(session: Session, name: WishName, now: Epoch): Promise<void> {
    const [row] = await session.rows('SELECT wished FROM wish WHERE name = $1', [name]);
    if (row === undefined) return;
    const { doc, sum } = pack(name, freshWish(String(row['wished'])));
    await session.change(
      `UPDATE wish SET doc = $1, sum = $2, due_at = $3,
         ready_at = CASE WHEN held_until IS NULL THEN $3 ELSE ready_at END WHERE name = $4`,
      [doc, sum, now, name],
    );
  }
}

/** A next try that was set for later is due now as well; the verdict would wait for it otherwise. */
async function waitNoLonger(session: Session, row: Row, now: Epoch): Promise<void> {
  const name = String(row['name']);
  const known = unpack<WishDoc>(name, row);
  if (known === undefined || known.trouble === null || (known.trouble.nextTry ?? now) <= now) return;
  const { doc, sum } = pack(name, { ...known, trouble: { ...known.trouble, nextTry: now } });
  await session.change('UPDATE wish SET doc = $1, sum = $2 WHERE name = $3', [doc, sum, name]);
}
