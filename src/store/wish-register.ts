import type { WishName } from '../token/names.ts';
import type { Epoch } from '../token/time.ts';
import type { Database, Row, Session } from './database.ts';
import { pack, unpack } from './rows.ts';
import type { WishSeed } from './store.ts';
import { freshWish, type WishDoc } from './wish-table.ts';

type Change =
  | { readonly kind: 'new' | 'changed' | 'returned'; readonly seed: WishSeed }
  | { readonly kind: 'absent'; readonly name: string };

/** What differs between the configuration and the rows. */
function compare(seeds: readonly WishSeed[], rows: readonly Row[]): readonly Change[] {
  const changes: Change[] = [];
  const known = new Map(rows.map((row) => [String(row['name']), row]));
  for (const seed of seeds) {
    const row = known.get(seed.name);
    known.delete(seed.name);
    if (row === undefined) changes.push({ kind: 'new', seed });
    else if (row['wished'] !== seed.fingerprint || row['account'] !== seed.account)
      changes.push({ kind: 'changed', seed });
    else if (row['state'] !== 'kept') changes.push({ kind: 'returned', seed });
  }
  for (const [name, row] of known) if (row['state'] === 'kept') changes.push({ kind: 'absent', name });
  return changes;
}

async function apply(session: Session, change: Change, now: Epoch): Promise<void> {
  if (change.kind === 'absent') {
    await session.change(`UPDATE wish SET state = 'parked' WHERE name = $1`, [change.name]);
    return;
  }
  const { name, account, fingerprint } = change.seed;
  if (change.kind === 'returned') {
    await session.change(`UPDATE wish SET state = 'kept' WHERE name = $1`, [name]);
    return;
  }
  if (change.kind === 'changed') {
    await applyChanged(session, change.seed, now);
    return;
  }
  const { doc, sum } = pack(name, freshWish(fingerprint));
  await session.change(
    `INSERT INTO wish (name, account, wished, state, due_at, ready_at, fence, doc, sum)
     VALUES ($1, $2, $3, 'kept', $4, $4, 0, $5, $6) ON CONFLICT (name) DO NOTHING`,
    [name, account, fingerprint, now, doc, sum],
  );
}

/** The token stays, the failures do not: they say nothing about the new wish. */
async function applyChanged(session: Session, { name, account, fingerprint }: WishSeed, now: Epoch): Promise<void> {
  const [row] = await session.rows('SELECT doc, sum FROM wish WHERE name = $1', [name]);
  const known = row === undefined ? undefined : unpack<WishDoc>(name, row);
  const next = { ...(known ?? freshWish(fingerprint)), failures: 0, trouble: null, remark: null };
  const { doc, sum } = pack(name, next);
  // The fence moves: whoever is working on the old wish must not settle it as if it were the new one.
  await session.change(
    `UPDATE wish SET account = $1, wished = $2, state = 'kept', due_at = $3, ready_at = $3, fence = fence + 1,
       holder = NULL, held_until = NULL, doc = $4, sum = $5 WHERE name = $6`,
    [account, fingerprint, now, doc, sum, name],
  );
}

const standing = 'SELECT name, account, wished, state FROM wish';

/** Takes the configuration in; writes nothing when nothing changed. */
export async function registerWishes(database: Database, seeds: readonly WishSeed[], now: Epoch): Promise<void> {
  await applyAll(database, compare(seeds, await database.read(standing)), now);
}

/** Takes these in and leaves the others alone. */
export async function enrolWishes(database: Database, seeds: readonly WishSeed[], now: Epoch): Promise<void> {
  const names = JSON.stringify(seeds.map(({ name }) => name));
  const rows = await database.read(`${standing} WHERE name IN (${database.sql.listed('$1')})`, [names]);
  await applyAll(database, compare(seeds, rows), now);
}

async function applyAll(database: Database, changes: readonly Change[], now: Epoch): Promise<void> {
  if (changes.length === 0) return;
  await database.write(async (session) => {
    for (const change of changes) await apply(session, change, now);
  });
}

/** Nobody works on them until they are taken in again. */
export async function parkWishes(database: Database, names: readonly WishName[]): Promise<void> {
  const listed = database.sql.listed('$1');
  await database.write((session) =>
    session.change(`UPDATE wish SET state = 'parked' WHERE name IN (${listed})`, [JSON.stringify(names)]),
  );
}

/** With all that hangs on them. */
export async function forgetWishes(database: Database, names: readonly WishName[]): Promise<void> {
  if (names.length === 0) return;
  const listed = database.sql.listed('$1');
  const values = [JSON.stringify(names)];
  await database.write(async (session) => {
    await session.change(`DELETE FROM token WHERE wish IN (${listed})`, values);
    await session.change(`DELETE FROM delivery WHERE wish IN (${listed})`, values);
    await session.change(`DELETE FROM wish WHERE name IN (${listed})`, values);
  });
}
