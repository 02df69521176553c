import type { KeyObject } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { Database, Session } from '../store/database.ts';
import { after, type Mono, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { IssuerSettings } from './issuer.ts';
import { thumbprint } from './key-pair.ts';
import { type KeyRecord, readKeys } from './key-table.ts';
import { type KeyPlace, loadPrivateKey } from './private-keys.ts';
import { readSettings, settingsFile } from './settings.ts';
import type { SigningKey } from './signing-key.ts';

/** How old what we know of keys and settings may be. */
const lookEvery = seconds(1);

export interface Signer {
  readonly key: SigningKey;
  readonly privateKey: KeyObject;
}

/** What was last seen of the settings and the keys. */
export interface Seen {
  readonly at: Mono;
  readonly settings: IssuerSettings;
  /** Of issuer.yaml, so that it is read again only when it was changed. */
  readonly file: string;
  /** Undefined where no key signs. */
  readonly signer: Signer | undefined;
}

interface ViewParts {
  readonly world: World;
  readonly place: KeyPlace;
  readonly database: Database;
  /** What else has to be there before the settings hold. */
  readonly before: (settings: IssuerSettings, session: Session | undefined) => Promise<void>;
}

/**
 * Settings and signing key of an issuer, looked at again when they are needed and a second has passed. A file that does not read any
 * more is a Fault and not a reason to go on with the old one: it may have been changed to stop somebody.
 */
export class IssuerView {
  readonly #parts: ViewParts;
  #seen: Seen | undefined;
  #looking: Promise<Seen> | undefined;
  /** Counts the changes that were told of: a look that began before one may have missed it. */
  #changes = 0;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  async current(): Promise<Seen> {
    const fresh = this.#fresh();
    if (fresh !== undefined) return fresh;
    const looking = this.#looking ?? this.#look(undefined);
    this.#looking = looking;
    try {
      return await looking;
    } finally {
      if (this.#looking === looking) this.#looking = undefined;
    }
  }

  /** Inside a transaction all goes through its session: another connection might have to wait for it. */
  async currentIn(session: Session): Promise<Seen> {
    return this.#fresh() ?? (await this.#look(session));
  }

  lookAgain(): void {
    this.#changes += 1;
    this.#seen = undefined;
    this.#looking = undefined;
  }

  #fresh(): Seen | undefined {
    const seen = this.#seen;
    const { clock } = this.#parts.world;
    return seen !== undefined && clock.monotonic() < after(seen.at, lookEvery) ? seen : undefined;
  }

  async #look(session: Session | undefined): Promise<Seen> {
    const [earlier, changes] = [this.#seen, this.#changes];
    const at = this.#parts.world.clock.monotonic();
    const { settings, file } = await this.#settingsNow(earlier);
    const signer = await this.#signerOf(await readKeys(session ?? this.#parts.database), earlier);
    await this.#parts.before(settings, session);
    const seen = { at, settings, file, signer };
    if (changes === this.#changes) this.#seen = seen;
    return seen;
  }

  async #settingsNow(earlier: Seen | undefined): Promise<Pick<Seen, 'settings' | 'file'>> {
    const { world, place } = this.#parts;
    const path = settingsFile(place.directory);
    const facts = await world.files.facts(path);
    const file = facts === undefined ? '' : `${facts.inode} ${facts.size} ${facts.changedAt}`;
    if (earlier !== undefined && file !== '' && file === earlier.file) return earlier;
    const settings = await readSettings(world, place.directory);
    if (settings.url === place.url) return { settings, file };
    throw new Fault(
      'config-invalid',
      `${path} names the issuer ${settings.url} now, and it was opened as ${place.url}`,
      {
        hint: 'another URL is another issuer; make it in a directory of its own',
      },
    );
  }

  async #signerOf(records: readonly KeyRecord[], earlier: Seen | undefined): Promise<Signer | undefined> {
    const record = records.find(({ key }) => key.state === 'signing');
    if (record === undefined) return undefined;
    const { key } = record;
    const known = earlier?.signer;
    // Of the same kid it may be another one: what HTCondor is configured with can change under its name.
    if (known?.key.kid === key.kid && thumbprint(known.key.jwk) === thumbprint(key.jwk))
      return { key, privateKey: known.privateKey };
    return { key, privateKey: await loadPrivateKey(this.#parts.place, record) };
  }
}
