import type { OpenIssuer } from '../mint/issuer.ts';
import type { Logger } from '../observe/log.ts';
import { type Mono, seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { FileFacts } from '../world/files.ts';

/** How long an answer holds. Anybody may ask, as often as they like, and each look reads the database. */
const fresh = seconds(1);

interface ReadinessParts {
  readonly issuer: OpenIssuer;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Logger;
  /** Are requests still taken: not while the server stops. */
  readonly open: () => boolean;
}

/**
 * Would a token be signed here now? Not on a node whose sealing key is not that of the others, which would only answer with faults; and not
 * where issuer.db is another file than the one that was opened: what is written there is lost to whoever reads the new one.
 */
export class Readiness {
  readonly #parts: ReadinessParts;
  readonly #opened: FileFacts | undefined;
  #seen: { readonly at: Mono; readonly ready: boolean } | undefined;
  #looking: Promise<boolean> | undefined;
  #moved = false;

  static async start(parts: ReadinessParts): Promise<Readiness> {
    return new Readiness(parts, await factsOf(parts.issuer));
  }

  private constructor(parts: ReadinessParts, opened: FileFacts | undefined) {
    this.#parts = parts;
    this.#opened = opened;
  }

  /** One look per second, for all who ask. */
  async ready(): Promise<boolean> {
    if (!this.#parts.open()) return false;
    const seen = this.#seen;
    if (seen !== undefined && this.#parts.clock.monotonic() - seen.at < fresh) return seen.ready;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return await this.#looking;
  }

  /** Is the database still where it was opened? The log tells once when it is not. */
  async inPlace(): Promise<boolean> {
    const { issuer, log } = this.#parts;
    if (issuer.engine !== 'sqlite') return true;
    const found = await factsOf(issuer);
    const moved = found?.inode !== this.#opened?.inode || found?.device !== this.#opened?.device;
    if (moved && !this.#moved) log.event('issuer-database-moved', { file: fileOf(issuer) });
    this.#moved = moved;
    return !moved;
  }

  async #look(): Promise<boolean> {
    const at = this.#parts.clock.monotonic();
    const ready = await this.#wouldSign().catch(() => false);
    this.#seen = { at, ready };
    return ready;
  }

  async #wouldSign(): Promise<boolean> {
    const { issuer } = this.#parts;
    if (!(await this.inPlace())) return false;
    await issuer.database.read('SELECT format FROM issuer_server');
    return (await issuer.signingKey()) !== undefined;
  }
}

const fileOf = ({ directory }: OpenIssuer): string => `${directory}/issuer.db`;

async function factsOf(issuer: OpenIssuer): Promise<FileFacts | undefined> {
  return issuer.engine === 'sqlite' ? await issuer.keyPlace.world.files.look(fileOf(issuer)) : undefined;
}
