import { Fault } from '../fault/fault.ts';
import type { Database, Row, Session } from '../store/database.ts';
import { pack, unpack } from '../store/rows.ts';
import type { Client } from './client.ts';

/** The clients of the server. Whoever changes one says so in the audit log, in the same transaction. */
export class ClientTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Throws Fault `state-broken` for a row that was damaged: what a client may do is never guessed. */
  async find(id: string): Promise<Client | undefined> {
    // No client has such an id, and PostgreSQL takes a NUL for an error of the database, which is ours to answer for.
    if (id.includes('\0')) return undefined;
    const [row] = await this.#database.read('SELECT id, generation, doc, sum FROM issuer_client WHERE id = $1', [id]);
    return row === undefined ? undefined : clientIn(row);
  }

  async all(): Promise<readonly Client[]> {
    return (await this.#database.read('SELECT id, generation, doc, sum FROM issuer_client ORDER BY id')).map(clientIn);
  }

  /** False if there is one of this id. */
  async add(session: Session, client: Client): Promise<boolean> {
    const { doc, sum } = pack(client.id, client);
    const added = await session.change(
      'INSERT INTO issuer_client (id, generation, doc, sum) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING',
      [client.id, client.generation, doc, sum],
    );
    return added === 1;
  }

  /** False if somebody else changed it in between. */
  async change(session: Session, before: Client, changes: Partial<Client>): Promise<boolean> {
    const client: Client = { ...before, ...changes, id: before.id, generation: before.generation + 1 };
    const { doc, sum } = pack(client.id, client);
    const changed = await session.change(
      'UPDATE issuer_client SET generation = $1, doc = $2, sum = $3 WHERE id = $4 AND generation = $5',
      [client.generation, doc, sum, client.id, before.generation],
    );
    return changed === 1;
  }

  async remove(session: Session, id: string): Promise<boolean> {
    return (await session.change('DELETE FROM issuer_client WHERE id = $1', [id])) === 1;
  }

  /**
   * Is the client still as it was when it proved itself? Asked within the transaction that signs: a change that commits
   * later waits for it, so that no token is handed out after the commit of a removal (scenario 42).
   */
  async holds(session: Session, client: Client): Promise<boolean> {
    const [row] = await session.rows(
      `SELECT generation FROM issuer_client WHERE id = $1 ${this.#database.sql.forShare}`,
      [client.id],
    );
    return row !== undefined && Number(row['generation']) === client.generation;
  }
}

function clientIn(row: Row): Client {
  const client = unpack<Client>(String(row['id']), row);
  if (client !== undefined && client.generation === Number(row['generation'])) return client;
  throw new Fault('state-broken', `the record of client ${row['id']} was damaged, and is not used`, {
    hint: `remove and add it again: tokeep issuer client remove ${row['id']}`,
  });
}
