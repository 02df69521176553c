import { Fault } from '../fault/fault.ts';
import type { Session } from './database.ts';
import type { Sealer } from './sealer.ts';

/** Grows when an older tokeep could not work with the tables any more. */
export const format = 1;

/**
 * The tables, in words that both databases understand. A `doc` is JSON and carries its `sum` (rows.ts); what is searched for or
 * changed on its own is a column.
 *
 * `wish.ready_at` is the earliest time a node may take the wish: `due_at`, or the end of the claim that lies on it.
 * `wish.wished` is the fingerprint of the configuration, while the one in `doc` is that of the token at hand.
 */
export const tables: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS wish (name TEXT PRIMARY KEY, account TEXT NOT NULL, wished TEXT NOT NULL, state TEXT NOT NULL,
     due_at BIGINT NOT NULL, ready_at BIGINT NOT NULL, fence BIGINT NOT NULL, holder TEXT, held_until BIGINT,
     doc TEXT NOT NULL, sum BIGINT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS wish_ready ON wish (ready_at) WHERE state = 'kept'`,
  `CREATE INDEX IF NOT EXISTS wish_held ON wish (held_until) WHERE held_until IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS token (wish TEXT PRIMARY KEY, fence BIGINT NOT NULL, sealed TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, generation BIGINT NOT NULL,
     doc TEXT NOT NULL, secrets TEXT NOT NULL, sum BIGINT NOT NULL,
     previous_doc TEXT, previous_secrets TEXT, previous_sum BIGINT)`,
  `CREATE TABLE IF NOT EXISTS delivery (key TEXT PRIMARY KEY, wish TEXT NOT NULL, doc TEXT NOT NULL, sum BIGINT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS delivery_wish ON delivery (wish)`,
  `CREATE TABLE IF NOT EXISTS issuer (key TEXT PRIMARY KEY, doc TEXT NOT NULL, sum BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS budget (issuer TEXT PRIMARY KEY, level DOUBLE PRECISION NOT NULL, at BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS notice (key TEXT PRIMARY KEY, doc TEXT NOT NULL, sum BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence BIGINT NOT NULL, until BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS quarantine (what TEXT NOT NULL, name TEXT NOT NULL, at BIGINT NOT NULL, kept TEXT NOT NULL,
     sentence TEXT NOT NULL)`,
];

async function meta(session: Session, key: string): Promise<string | undefined> {
  const [row] = await session.rows('SELECT value FROM meta WHERE key = $1', [key]);
  return row === undefined ? undefined : String(row['value']);
}

/** Makes what is missing. Throws `state-newer`, and `seal-wrong-key` when the secrets in here were sealed with another key. */
export async function prepareSchema(session: Session, sealer: Sealer, where: string): Promise<void> {
  const [first, ...rest] = tables;
  await session.change(String(first));
  const found = await meta(session, 'format');
  if (found !== undefined && Number(found) > format) {
    throw new Fault('state-newer', `${where} has format ${found} and this tokeep knows formats up to ${format}`, {
      hint: 'install the tokeep that wrote it, or a later one; the state was not touched',
    });
  }
  if (found === undefined) {
    for (const sql of rest) await session.change(sql);
    await session.change('INSERT INTO meta (key, value) VALUES ($1, $2)', ['format', String(format)]);
    await session.change('INSERT INTO meta (key, value) VALUES ($1, $2)', ['seal-key', sealer.keyId]);
  }
  await refuseOtherKey(session, sealer, where);
}

/** Nothing is written with a key that is not that of the state: not by a process, either, that was started before the key was changed. */
export async function refuseOtherKey(session: Session, sealer: Sealer, where: string): Promise<void> {
  const sealedWith = await meta(session, 'seal-key');
  if (sealedWith === undefined || sealedWith === sealer.keyId || sealer.alsoOpens?.includes(sealedWith)) return;
  throw new Fault(
    'seal-wrong-key',
    `the secrets in ${where} are sealed with key ${sealedWith}, and the sealing key at hand is ${sealer.keyId}`,
    { hint: 'run tokeep as the user and with the key it was set up with; nothing was sealed or changed' },
  );
}
