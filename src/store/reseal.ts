import { Fault } from '../fault/fault.ts';
import type { SecretKind } from '../token/secret.ts';
import { accountSum, type SealedSecrets, secretRecord } from './account-table.ts';
import type { Database, Row, Session } from './database.ts';
import { envelopeKeyId } from './envelope.ts';
import { parse } from './rows.ts';
import type { SealBinding, Sealer } from './sealer.ts';
import { sealedAs } from './wish-table.ts';

const batch = 500;

/** The envelope under the sealer's first key; itself when it is already, undefined when it does not open. */
function renewed(sealer: Sealer, kind: SecretKind, envelope: string, binding: SealBinding): string | undefined {
  if (envelopeKeyId(envelope) === sealer.keyId) return envelope;
  try {
    return sealer.seal(sealer.open(kind, envelope, binding), binding);
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

function renewedSecrets(sealer: Sealer, name: string, text: string): string {
  const secrets = parse<SealedSecrets>(text) ?? {};
  const next = Object.entries(secrets).map(([slot, secret]) => {
    const binding = { record: secretRecord(name, slot), generation: secret.generation };
    return [slot, { ...secret, sealed: renewed(sealer, secret.kind, secret.sealed, binding) ?? secret.sealed }];
  });
  return JSON.stringify(Object.fromEntries(next));
}

async function resealAccount(session: Session, sealer: Sealer, row: Row): Promise<number> {
  const name = String(row['name']);
  const generation = Number(row['generation']);
  const [doc, before, previousDoc, previous] = ['doc', 'secrets', 'previous_doc', 'previous_secrets'].map(
    (column) => row[column],
  );
  // A row that fails its checksum is left as it is: reading it will put it aside, and a new checksum would hide the damage.
  if (accountSum(name, generation, String(doc), String(before)) !== row['sum']) return 0;
  const secrets = renewedSecrets(sealer, name, String(before));
  const wholeBefore = accountSum(name, generation - 1, String(previousDoc), String(previous)) === row['previous_sum'];
  const previousSecrets = wholeBefore ? renewedSecrets(sealer, name, String(previous)) : previous;
  if (secrets === before && previousSecrets === previous) return 0;
  return await session.change(
    `UPDATE account SET secrets = $1, sum = $2, previous_secrets = $3, previous_sum = $4
     WHERE name = $5 AND generation = $6`,
    [
      secrets,
      accountSum(name, generation, String(doc), secrets),
      previousSecrets ?? null,
      wholeBefore
        ? accountSum(name, generation - 1, String(previousDoc), String(previousSecrets))
        : (row['previous_sum'] ?? null),
      name,
      generation,
    ],
  );
}

export async function resealAccounts(session: Session, sealer: Sealer): Promise<number> {
  let count = 0;
  for (const row of await session.rows('SELECT * FROM account')) count += await resealAccount(session, sealer, row);
  return count;
}

/** In batches, so that nobody waits long for the database. */
export async function resealTokens(database: Database, sealer: Sealer): Promise<number> {
  let count = 0;
  let last = '';
  for (;;) {
    const rows = await database.read('SELECT wish, fence, sealed FROM token WHERE wish > $1 ORDER BY wish LIMIT $2', [
      last,
      batch,
    ]);
    if (rows.length === 0) return count;
    last = String(rows.at(-1)?.['wish']);
    count += await database.write((session) => resealTokenRows(session, sealer, rows));
  }
}

async function resealTokenRows(session: Session, sealer: Sealer, rows: readonly Row[]): Promise<number> {
  let count = 0;
  for (const row of rows) {
    const [wish, fence, sealed] = [String(row['wish']), Number(row['fence']), String(row['sealed'])];
    const next = renewed(sealer, 'access_token', sealed, sealedAs(wish, fence));
    if (next === undefined || next === sealed) continue;
    count += await session.change('UPDATE token SET sealed = $1 WHERE wish = $2 AND fence = $3 AND sealed = $4', [
      next,
      wish,
      fence,
      sealed,
    ]);
  }
  return count;
}

/** Reads every secret of an account back with this sealer alone. Throws the Fault of the first that does not open. */
export function verifyAccounts(rows: readonly Row[], sealer: Sealer): void {
  for (const row of rows) {
    const name = String(row['name']);
    for (const text of [row['secrets'], row['previous_secrets']]) {
      for (const [slot, { kind, generation, sealed }] of Object.entries(parse<SealedSecrets>(String(text)) ?? {})) {
        sealer.open(kind, sealed, { record: secretRecord(name, slot), generation });
      }
    }
  }
}
