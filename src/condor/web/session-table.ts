import { createHash } from 'node:crypto';
import type { Database, Row } from '../../store/database.ts';
import { parse } from '../../store/rows.ts';
import { after, between, type Epoch, epoch, hours, minutes } from '../../token/time.ts';
import type { World } from '../../world/world.ts';
import type { Service } from './service.ts';

/** What a browser was bound to by "I am alice": one request file, as it was then. No secret is in it. */
export interface Task {
  /** The name of the request file. */
  readonly request: string;
  readonly user: string;
  readonly services: readonly Service[];
}

export interface SessionContent {
  /** The local user that the site's own login named. */
  readonly person?: string;
  readonly task?: Task;
}

export interface WebSession extends SessionContent {
  readonly hash: string;
  readonly since: Epoch;
}

/** A session as an administrator sees it. */
export interface KnownSession {
  readonly user?: string;
  readonly person?: string;
  readonly services: readonly string[];
  readonly since: Epoch;
  readonly seenAt: Epoch;
}

/** WEB-08. */
export const sessionLimits = { idle: minutes(30), absolute: hours(12) };

/** `seen_at` is written this often at most. */
const seenEvery = minutes(1);

export const hashOf = (id: string): string => createHash('sha256').update(id).digest('hex');

/** Sessions of browsers, here and not in them: what a browser has is a number that only finds one. */
export class SessionTable {
  readonly #database: Database;
  readonly #world: Pick<World, 'clock' | 'random'>;

  constructor(database: Database, world: Pick<World, 'clock' | 'random'>) {
    this.#database = database;
    this.#world = world;
  }

  /** A number that nobody can guess; it stands for nothing yet. */
  newId(): string {
    return this.#world.random.bytes(32).toString('base64url');
  }

  /**
   * Begins a session under a new id, which is returned; the one before, whose id others may know, ends. `since` is when who they are was
   * shown, where that goes on in the new one: it does not get longer by that.
   */
  async begin(content: SessionContent, before: string | undefined, since?: Epoch): Promise<string> {
    const id = this.newId();
    const now = this.#world.clock.now();
    await this.#database.write(async (session) => {
      await session.change('DELETE FROM web_session WHERE hash = $1 OR seen_at < $2 OR created_at < $3', [
        before === undefined ? '' : hashOf(before),
        after(now, negative(sessionLimits.idle)),
        after(now, negative(sessionLimits.absolute)),
      ]);
      await session.change('INSERT INTO web_session (hash, created_at, seen_at, doc) VALUES ($1, $2, $3, $4)', [
        hashOf(id),
        since ?? now,
        now,
        JSON.stringify(content),
      ]);
    });
    return id;
  }

  /** The session of this id, if it is not over; being asked for keeps it from being idle. */
  async find(id: string | undefined): Promise<WebSession | undefined> {
    if (id === undefined) return undefined;
    const hash = hashOf(id);
    const [row] = await this.#database.read('SELECT created_at, seen_at, doc FROM web_session WHERE hash = $1', [hash]);
    const now = this.#world.clock.now();
    if (row === undefined || isOver(row, now)) return undefined;
    if (between(timeOf(row, 'seen_at'), now) > seenEvery) {
      await this.#database.write((session) =>
        session.change('UPDATE web_session SET seen_at = $2 WHERE hash = $1', [hash, now]),
      );
    }
    const content = parse<SessionContent>(String(row['doc']));
    return content === undefined ? undefined : { ...content, hash, since: timeOf(row, 'created_at') };
  }

  /** Changes one service of a session, if it is still there. */
  async note(hash: string, name: string, change: (service: Service) => Service): Promise<void> {
    await this.#database.write(async (session) => {
      const [row] = await session.rows('SELECT doc FROM web_session WHERE hash = $1', [hash]);
      const content = parse<SessionContent>(String(row?.['doc']));
      if (content?.task === undefined) return;
      const services = content.task.services.map((one) => (one.name === name ? change(one) : one));
      const doc = JSON.stringify({ ...content, task: { ...content.task, services } });
      await session.change('UPDATE web_session SET doc = $2 WHERE hash = $1', [hash, doc]);
    });
  }

  /** Those that are not over. */
  async all(): Promise<readonly KnownSession[]> {
    const rows = await this.#database.read('SELECT * FROM web_session ORDER BY created_at');
    const now = this.#world.clock.now();
    return rows.filter((row) => !isOver(row, now)).map(knownOf);
  }

  /** Ends all that are for a local user, or of one whom the site's own login named; returns how many. */
  async endOf(user: string): Promise<number> {
    return await this.#database.write(async (session) => {
      const rows = await session.rows('SELECT * FROM web_session');
      const theirs = rows.filter((row) => {
        const known = knownOf(row);
        return known.user === user || known.person === user;
      });
      for (const { hash } of theirs) await session.change('DELETE FROM web_session WHERE hash = $1', [String(hash)]);
      return theirs.length;
    });
  }

  async end(id: string): Promise<void> {
    await this.#database.write((session) => session.change('DELETE FROM web_session WHERE hash = $1', [hashOf(id)]));
  }
}

const negative = (length: number) => -length as typeof sessionLimits.idle;

const timeOf = (row: Row, column: string): Epoch => epoch(Number(row[column]));

function knownOf(row: Row): KnownSession {
  const { task, person } = parse<SessionContent>(String(row['doc'])) ?? {};
  return {
    ...(task === undefined ? {} : { user: task.user }),
    ...(person === undefined ? {} : { person }),
    services: task?.services.map(({ name }) => name) ?? [],
    since: timeOf(row, 'created_at'),
    seenAt: timeOf(row, 'seen_at'),
  };
}

function isOver(row: Row, now: Epoch): boolean {
  const idle = between(timeOf(row, 'seen_at'), now);
  const age = between(timeOf(row, 'created_at'), now);
  return idle > sessionLimits.idle || age > sessionLimits.absolute;
}
