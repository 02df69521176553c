import type { Epoch } from '../token/time.ts';
import type { Database, Session } from './database.ts';

/** Something in the state that could not be read, was put aside, and what was done instead (scenario 14). For `status`. */
export interface StoreFinding {
  readonly what: 'database' | 'wish' | 'token' | 'account' | 'delivery' | 'issuer' | 'notice' | 'successor';
  readonly name: string;
  readonly at: Epoch;
  readonly sentence: string;
}

/** Notes a finding; `kept` is the damaged row as it was, for whoever wants to look. Secrets in it are sealed. */
export async function quarantine(session: Session, finding: StoreFinding, kept: object): Promise<void> {
  await session.change('INSERT INTO quarantine (what, name, at, kept, sentence) VALUES ($1, $2, $3, $4, $5)', [
    finding.what,
    finding.name,
    finding.at,
    JSON.stringify(kept),
    finding.sentence,
  ]);
}

export async function readFindings(database: Database): Promise<readonly StoreFinding[]> {
  const rows = await database.read('SELECT what, name, at, sentence FROM quarantine ORDER BY at');
  return rows.map((row) => ({
    what: String(row['what']) as StoreFinding['what'],
    name: String(row['name']),
    at: Number(row['at']) as Epoch,
    sentence: String(row['sentence']),
  }));
}
