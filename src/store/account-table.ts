import { Fault } from '../fault/fault.ts';
import type { AccountName } from '../token/names.ts';
import type { Secret, SecretKind } from '../token/secret.ts';
import type { Clock } from '../world/clock.ts';
import type { Database, Row, Session } from './database.ts';
import { quarantine } from './quarantine.ts';
import type { AccountRecord, AccountSecrets } from './records.ts';
import { checksum, parse } from './rows.ts';
import { refuseOtherKey } from './schema.ts';
import type { Sealer } from './sealer.ts';

type AccountDoc = Omit<AccountRecord, 'name' | 'generation'>;
type Slot = keyof AccountSecrets;

/** A sealed secret and what it is bound to. A record may move on without its secret being sealed anew. */
interface SealedSecret {
  readonly kind: SecretKind;
  readonly generation: number;
  readonly sealed: string;
}
export type SealedSecrets = Partial<Readonly<Record<Slot, SealedSecret>>>;

interface Known {
  readonly record: AccountRecord;
  readonly secrets: SealedSecrets;
}

const columns = 'name, generation, doc, secrets, sum, previous_doc, previous_secrets, previous_sum';

export const secretRecord = (name: string, slot: string): string => `account ${name} ${slot}`;

/** One generation of an account: the checksum covers the record, its secrets and the generation, which belong together. */
export const accountSum = (name: string, generation: number, doc: string, secrets: string): number =>
  checksum(`${name} ${generation}`, `${doc}\n${secrets}`);

function withoutColumns(record: AccountRecord): AccountDoc {
  const { name: _name, generation: _generation, ...doc } = record;
  return doc;
}

function read(name: AccountName, generation: number, doc: unknown, secrets: unknown, sum: unknown): Known | undefined {
  if (typeof doc !== 'string' || typeof secrets !== 'string') return undefined;
  if (accountSum(name, generation, doc, secrets) !== sum) return undefined;
  const record = parse<AccountDoc>(doc);
  const sealed = parse<SealedSecrets>(secrets);
  if (record === undefined || sealed === undefined) return undefined;
  return { record: { ...record, name, generation }, secrets: sealed };
}

/**
 * An account whose record went back: its credential may have been spent since, by a request nobody remembers. It is treated
 * like one whose answer was lost (scenarios 13, 14, 46).
 */
export function suspect(
  record: AccountRecord,
  generation: number,
  at: AccountRecord['intent'] & object,
): AccountRecord {
  return { ...record, generation, intent: record.credential === null ? record.intent : at };
}

/** Accounts: the records, the sealed secrets, and the generation before. */
export class AccountTable {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(database: Database, sealer: Sealer, clock: Clock) {
    this.#database = database;
    this.#sealer = sealer;
    this.#clock = clock;
  }

  async all(): Promise<readonly AccountRecord[]> {
    const rows = await this.#database.read(`SELECT ${columns} FROM account ORDER BY name`);
    const known: AccountRecord[] = [];
    for (const row of rows) {
      const account = await this.#understand(row);
      if (account !== undefined) known.push(account.record);
    }
    return known;
  }

  async one(name: AccountName): Promise<AccountRecord | undefined> {
    return (await this.#find(name))?.record;
  }

  async secrets(name: AccountName): Promise<AccountSecrets> {
    const found = (await this.#find(name))?.secrets ?? {};
    const open = <K extends SecretKind>(slot: Slot, kind: K, { sealed, generation }: SealedSecret): Secret<K> =>
      this.#sealer.open(kind, sealed, { record: secretRecord(name, slot), generation });
    const { credential, clientSecret, registrationToken } = found;
    return {
      ...(credential && {
        credential: open('credential', credential.kind, credential) as NonNullable<AccountSecrets['credential']>,
      }),
      ...(clientSecret && { clientSecret: open('clientSecret', 'client_secret', clientSecret) }),
      ...(registrationToken && {
        registrationToken: open('registrationToken', 'registration_token', registrationToken),
      }),
    };
  }

  async save(next: AccountRecord, secrets: AccountSecrets = {}): Promise<void> {
    const { name, generation } = next;
    const sealed = this.#seal(next, secrets);
    const doc = JSON.stringify(withoutColumns(next));
    await this.#database.write(async (session) => {
      await refuseOtherKey(session, this.#sealer, this.#database.where);
      if (generation === 1) await insert(session, name, doc, sealed);
      else await replace(session, name, generation, doc, sealed);
    });
  }

  async forget(name: AccountName): Promise<void> {
    await this.#database.write((session) => session.change('DELETE FROM account WHERE name = $1', [name]));
  }

  #seal({ name, generation }: AccountRecord, secrets: AccountSecrets): SealedSecrets {
    const sealed: Partial<Record<Slot, SealedSecret>> = {};
    for (const slot of ['credential', 'clientSecret', 'registrationToken'] as const) {
      const secret = secrets[slot];
      if (secret === undefined) continue;
      const envelope = this.#sealer.seal(secret, { record: secretRecord(name, slot), generation });
      sealed[slot] = { kind: secret.kind, generation, sealed: envelope };
    }
    return sealed;
  }

  async #find(name: AccountName): Promise<Known | undefined> {
    const [row] = await this.#database.read(`SELECT ${columns} FROM account WHERE name = $1`, [name]);
    return row === undefined ? undefined : await this.#understand(row);
  }

  async #understand(row: Row): Promise<Known | undefined> {
    const name = row['name'] as AccountName;
    const generation = Number(row['generation']);
    const current = read(name, generation, row['doc'], row['secrets'], row['sum']);
    if (current !== undefined) return current;
    return await this.#database.write((session) => this.#goBack(session, row, name, generation));
  }

  /** Puts a damaged row aside and uses the generation before it, if that one is whole. */
  async #goBack(session: Session, row: Row, name: AccountName, generation: number): Promise<Known | undefined> {
    const at = this.#clock.now();
    const before = read(name, generation - 1, row['previous_doc'], row['previous_secrets'], row['previous_sum']);
    const then = before === undefined ? 'it has to be logged in again' : 'the one before it is used';
    const sentence = `the record of account ${name} was damaged; ${then}`;
    await quarantine(session, { what: 'account', name, at, sentence }, row);
    await session.change('DELETE FROM account WHERE name = $1', [name]);
    if (before === undefined) return undefined;
    const record = suspect(before.record, generation + 1, {
      attempt: 'record-went-back',
      spends: before.record.credential?.fingerprint ?? '',
      at,
      outcome: 'unknown',
    });
    const doc = JSON.stringify(withoutColumns(record));
    const secrets = JSON.stringify(before.secrets);
    await session.change('INSERT INTO account (name, generation, doc, secrets, sum) VALUES ($1, $2, $3, $4, $5)', [
      name,
      record.generation,
      doc,
      secrets,
      accountSum(name, record.generation, doc, secrets),
    ]);
    return { record, secrets: before.secrets };
  }
}

const conflict = (name: string, generation: number) =>
  new Fault(
    'state-conflict',
    `account ${name} was changed by somebody else before generation ${generation} was written`,
  );

async function insert(session: Session, name: string, doc: string, sealed: SealedSecrets): Promise<void> {
  const secrets = JSON.stringify(sealed);
  const added = await session.change(
    `INSERT INTO account (name, generation, doc, secrets, sum) VALUES ($1, 1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`,
    [name, doc, secrets, accountSum(name, 1, doc, secrets)],
  );
  if (added === 0) throw conflict(name, 1);
}

async function replace(session: Session, name: string, generation: number, doc: string, sealed: SealedSecrets) {
  const [row] = await session.rows('SELECT secrets FROM account WHERE name = $1 AND generation = $2', [
    name,
    generation - 1,
  ]);
  if (row === undefined) throw conflict(name, generation);
  const kept = parse<SealedSecrets>(String(row['secrets'])) ?? {};
  const secrets = JSON.stringify({ ...kept, ...sealed });
  const changed = await session.change(
    `UPDATE account SET previous_doc = doc, previous_secrets = secrets, previous_sum = sum,
       generation = $1, doc = $2, secrets = $3, sum = $4 WHERE name = $5 AND generation = $6`,
    [generation, doc, secrets, accountSum(name, generation, doc, secrets), name, generation - 1],
  );
  if (changed === 0) throw conflict(name, generation);
}
