import type { Database } from '../../store/database.ts';
import { parse } from '../../store/rows.ts';
import { after, type Millis, minutes } from '../../token/time.ts';
import type { World } from '../../world/world.ts';
import { hashOf } from './session-table.ts';

/** What only we know of one way to an issuer and back. */
export interface Attempt {
  /** For which service of the task, or for the site's own login. */
  readonly purpose:
    | { readonly kind: 'service'; readonly name: string }
    | { readonly kind: 'site'; readonly request: string };
  readonly verifier: string;
  readonly nonce?: string;
  /** The issuer that has to answer, where it is known. */
  readonly issuer?: string;
  /** It says that its redirects carry `iss` (RFC 9207). */
  readonly issInRedirect: boolean;
}

/** WEB-06. */
export const attemptLife: Millis = minutes(10);

/** Attempts under way, each good for one return of the browser that began it. */
export class AttemptTable {
  readonly #database: Database;
  readonly #world: Pick<World, 'clock' | 'random'>;

  constructor(database: Database, world: Pick<World, 'clock' | 'random'>) {
    this.#database = database;
    this.#world = world;
  }

  /** Remembers it, and returns its `state`. */
  async begin(session: string, attempt: Attempt): Promise<string> {
    const state = this.#world.random.bytes(32).toString('base64url');
    const now = this.#world.clock.now();
    await this.#database.write(async (writing) => {
      await writing.change('DELETE FROM web_attempt WHERE created_at < $1', [after(now, -attemptLife as Millis)]);
      const insert = 'INSERT INTO web_attempt (hash, session, created_at, doc) VALUES ($1, $2, $3, $4)';
      await writing.change(insert, [hashOf(state), session, now, JSON.stringify(attempt)]);
    });
    return state;
  }

  /** The attempt of this `state`, once and for the session that began it only; another browser does not use it up. */
  async take(session: string, state: string): Promise<Attempt | undefined> {
    const earliest = after(this.#world.clock.now(), -attemptLife as Millis);
    const rows = await this.#database.write((writing) =>
      writing.rows('DELETE FROM web_attempt WHERE hash = $1 AND session = $2 AND created_at >= $3 RETURNING doc', [
        hashOf(state),
        session,
        earliest,
      ]),
    );
    return rows[0] === undefined ? undefined : parse<Attempt>(String(rows[0]['doc']));
  }
}
