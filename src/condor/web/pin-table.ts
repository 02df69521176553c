import type { Database, Row } from '../../store/database.ts';
import { type Epoch, epoch } from '../../token/time.ts';
import type { Clock } from '../../world/clock.ts';

/** Who somebody is at an issuer. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** Who logged in first for a local user at a service: only they may again. */
export interface Pin extends Identity {
  readonly user: string;
  readonly service: string;
  readonly pinnedAt: Epoch;
  /** The last one who was refused because of it. */
  readonly refused?: Identity & { readonly at: Epoch };
}

export type PinAnswer =
  | { readonly kind: 'first' }
  | { readonly kind: 'same' }
  | { readonly kind: 'other'; readonly pin: Pin };

const where = 'WHERE local_user = $1 AND service = $2';

/** `MyTok` is `mytok`: HTCondor compares its knobs so, and a login is not to be pinned anew by another way of writing. */
const keyOf = (service: string): string => service.toLowerCase();

export class PinTable {
  readonly #database: Database;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(database: Database, clock: Pick<Clock, 'now'>) {
    this.#database = database;
    this.#clock = clock;
  }

  async find(user: string, service: string): Promise<Pin | undefined> {
    const [row] = await this.#database.read(`SELECT * FROM web_pin ${where}`, [user, keyOf(service)]);
    return row === undefined ? undefined : pinOf(row);
  }

  async all(): Promise<readonly Pin[]> {
    return (await this.#database.read('SELECT * FROM web_pin ORDER BY local_user, service')).map(pinOf);
  }

  /** Pins the first; notes who was refused, for the administrator to see and perhaps allow. */
  async judge(user: string, provider: string, identity: Identity): Promise<PinAnswer> {
    const service = keyOf(provider);
    const now = this.#clock.now();
    return await this.#database.write(async (session): Promise<PinAnswer> => {
      const [row] = await session.rows(`SELECT * FROM web_pin ${where}`, [user, service]);
      const { issuer, subject } = identity;
      if (row === undefined) {
        const insert = 'INSERT INTO web_pin (local_user, service, iss, sub, pinned_at) VALUES ($1, $2, $3, $4, $5)';
        await session.change(insert, [user, service, issuer, subject, now]);
        return { kind: 'first' };
      }
      const pin = pinOf(row);
      if (pin.issuer === issuer && pin.subject === subject) return { kind: 'same' };
      const update = `UPDATE web_pin SET refused_iss = $3, refused_sub = $4, refused_at = $5 ${where}`;
      await session.change(update, [user, service, issuer, subject, now]);
      return { kind: 'other', pin };
    });
  }

  /**
   * From now on it is the one who was refused last; undefined where nobody was, or where it is not `subject`: somebody else may have been
   * refused since it was looked at.
   */
  async allow(user: string, provider: string, subject?: string): Promise<Pin | undefined> {
    const service = keyOf(provider);
    const now = this.#clock.now();
    return await this.#database.write(async (session) => {
      const changed = await session.change(
        `UPDATE web_pin SET iss = refused_iss, sub = refused_sub, pinned_at = $3,
           refused_iss = NULL, refused_sub = NULL, refused_at = NULL ${where} AND refused_sub = coalesce($4, refused_sub)`,
        [user, service, now, subject ?? null],
      );
      if (changed === 0) return undefined;
      const [row] = await session.rows(`SELECT * FROM web_pin ${where}`, [user, service]);
      return row === undefined ? undefined : pinOf(row);
    });
  }

  /** Whoever logs in next is pinned anew. */
  async forget(user: string, service: string): Promise<boolean> {
    return await this.#database.write(
      async (session) => (await session.change(`DELETE FROM web_pin ${where}`, [user, keyOf(service)])) > 0,
    );
  }
}

function pinOf(row: Row): Pin {
  const { refused_iss: issuer, refused_sub: subject, refused_at: at } = row;
  const refused = typeof issuer === 'string' && typeof subject === 'string' ? { issuer, subject } : undefined;
  return {
    user: String(row['local_user']),
    service: String(row['service']),
    issuer: String(row['iss']),
    subject: String(row['sub']),
    pinnedAt: epoch(Number(row['pinned_at'])),
    ...(refused === undefined ? {} : { refused: { ...refused, at: epoch(Number(at)) } }),
  };
}
