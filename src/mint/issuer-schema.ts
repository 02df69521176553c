import { Fault } from '../fault/fault.ts';
import type { Session } from '../store/database.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { Engine } from './engine.ts';

/** Grows when an older tokeep could not work with the tables any more. */
const format = 1;

/**
 * The tables of an issuer, in words that both databases understand. `issuer_key.doc` is a SigningKey without what the columns hold;
 * `sealed` is its private half, unless that lies in a file. Of `issuer_audit` the `line` is what counts: `at` and `jti` repeat it,
 * for looking things up.
 */
const tables: readonly string[] = [
  `CREATE TABLE issuer_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)`,
  `CREATE TABLE issuer_key (kid TEXT PRIMARY KEY, state TEXT NOT NULL, last_expiry BIGINT NOT NULL, doc TEXT NOT NULL,
     sealed TEXT)`,
  `CREATE UNIQUE INDEX issuer_key_one_signs ON issuer_key (state) WHERE state = 'signing'`,
  `CREATE TABLE issuer_audit (chain TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, jti TEXT, line TEXT NOT NULL,
     hash TEXT NOT NULL, PRIMARY KEY (chain, seq))`,
  `CREATE INDEX issuer_audit_jti ON issuer_audit (jti) WHERE jti IS NOT NULL`,
  `CREATE INDEX issuer_audit_at ON issuer_audit (at)`,
];

/** PostgreSQL keeps lines by rights ({@link grantStatements}); SQLite has none, so that it is told to refuse. */
const guards: readonly string[] = ['UPDATE', 'DELETE'].map(
  (act) => `CREATE TRIGGER issuer_audit_no_${act.toLowerCase()} BEFORE ${act} ON issuer_audit
     BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END`,
);

export interface IssuerPlace {
  /** For people. */
  readonly where: string;
  readonly url: IssuerUrl;
  readonly engine: Engine;
  /** `known`: it was made before, so that what is not there was lost. */
  readonly standing: 'new' | 'known';
}

/**
 * Makes the tables where there are none, and says nothing but SELECT where they are there: a role that may not make tables works.
 * Throws Fault `state-newer`, `state-broken` where a known issuer's tables in SQLite are gone, and `config-invalid` where they are those of
 * another issuer.
 */
export async function prepareIssuer(session: Session, place: IssuerPlace): Promise<void> {
  if (!(await isThere(session, place.engine))) {
    // In PostgreSQL an issuer that was made in a file begins when issuer.yaml names the database.
    if (place.standing === 'known' && place.engine === 'sqlite') throw lostDatabase(place.where);
    for (const sql of [...tables, ...(place.engine === 'sqlite' ? guards : [])]) await session.change(sql);
    await saveMeta(session, 'format', String(format));
    await saveMeta(session, 'url', place.url);
  }
  const found = await issuerMeta(session, 'format');
  if (Number(found) > format) {
    throw new Fault('state-newer', `${place.where} has format ${found} and this tokeep knows formats up to ${format}`, {
      hint: 'install the tokeep that wrote it, or a later one; nothing was changed',
    });
  }
  const url = await issuerMeta(session, 'url');
  if (url === place.url) return;
  throw new Fault('config-invalid', `${place.where} belongs to the issuer ${url}, and issuer.yaml names ${place.url}`, {
    hint: 'keys and audit log go with an issuer: write its own URL, or make a new issuer in a directory of its own',
  });
}

/** Begun anew it would look like an issuer that has never signed anything. */
export const lostDatabase = (where: string): Fault =>
  new Fault('state-broken', `${where} is gone or empty, and with it the keys and the audit log of the issuer`, {
    hint: 'restore the directory from a backup; without one, move issuer.yaml away and make the issuer anew: tokeep issuer init',
  });

async function isThere(session: Session, engine: Engine): Promise<boolean> {
  const sql =
    engine === 'postgres'
      ? `SELECT to_regclass('issuer_meta') AS name`
      : `SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'issuer_meta'`;
  const [row] = await session.rows(sql);
  return (row?.['name'] ?? null) !== null;
}

export async function issuerMeta(session: Pick<Session, 'rows'>, key: string): Promise<string | undefined> {
  const [row] = await session.rows('SELECT value FROM issuer_meta WHERE key = $1', [key]);
  return row === undefined ? undefined : String(row['value']);
}

/** Keeps what is there already: of two that come together the first one's word counts. */
export async function saveMeta(session: Session, key: string, value: string): Promise<void> {
  await session.change('INSERT INTO issuer_meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING', [
    key,
    value,
  ]);
}

export async function replaceMeta(session: Session, key: string, value: string): Promise<void> {
  await session.change('UPDATE issuer_meta SET value = $2 WHERE key = $1', [key, value]);
}

/**
 * The SQL that lets a role of PostgreSQL sign and serve, and not more: it adds to the audit log and reads it, but changes and deletes
 * no line. `serverTables` are the tables of whoever else lives in this database, which that role works with freely.
 */
export function grantStatements(role: string, serverTables: readonly string[]): readonly string[] {
  const to = `TO ${quoted(role)}`;
  return [
    `GRANT SELECT, INSERT ON issuer_audit ${to};`,
    `GRANT SELECT, INSERT ON issuer_meta ${to};`,
    `GRANT SELECT, INSERT, UPDATE ON issuer_key ${to};`,
    ...serverTables.map((table) => `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted(table)} ${to};`),
  ];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
