import { Fault } from '../fault/fault.ts';
import type { AccountName } from '../token/names.ts';
import type { Credential } from '../token/secret.ts';
import { writeAll } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import type { StoreFinding } from './quarantine.ts';
import type { Sealer } from './sealer.ts';
import type { Reservation, Spool, SpooledSuccessor } from './spool.ts';
import { type Draft, SpoolPlace } from './spool-place.ts';
import { openSuccessor, writeSuccessor } from './successor-file.ts';

/** Room for a successor of 16 KiB, sealed, with its wrapping. Larger ones are saved too, but in room that was not reserved. */
const reservedBytes = 32 * 1024;

export interface SpoolOptions {
  readonly dir: string;
  /** On another file system, for when the first one takes nothing more. */
  readonly second?: string;
  readonly sealer: Sealer;
  /** Told of each successor that was damaged and moved aside. */
  readonly onFinding?: (finding: StoreFinding) => void;
}

const codeOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException).code ?? 'unknown';

/**
 * The spool, in files. Its directories are made, or refused, at the first use. All of it is to be called with the account's
 * lock held.
 */
export function openSpool(world: World, options: SpoolOptions): Spool {
  const first = new SpoolPlace(world, options.dir);
  const places = options.second === undefined ? [first] : [first, new SpoolPlace(world, options.second)];
  return {
    async reserve(account) {
      const draft = await reserve(world, first, account);
      return new FileReservation(account, draft, places, options.sealer);
    },
    pending: (account) => pending(world, places, options, account),
  };
}

/** Bytes that do not compress: on some file systems a file of zeros takes no room, and reserves none. */
async function reserve(world: World, place: SpoolPlace, account: AccountName): Promise<Draft> {
  let draft: Draft | undefined;
  try {
    await place.sweep(account);
    draft = await place.begin(account);
    await writeAll(draft.file, world.random.bytes(reservedBytes));
    await draft.file.sync();
    return draft;
  } catch (thrown) {
    if (draft !== undefined) await drop(place, draft);
    if (thrown instanceof Fault) throw thrown;
    throw new Fault(
      'state-write-failed',
      `no room could be reserved in ${place.path} for what account ${account} gets next (${codeOf(thrown)}); nothing was spent`,
      { hint: `df ${place.path}`, cause: thrown },
    );
  }
}

/** As far as it goes: what stays behind is swept later. */
async function drop(place: SpoolPlace, draft: Draft): Promise<void> {
  try {
    await draft.file.close();
    await place.remove(draft.name);
  } catch {
    // The disk that made us drop it may refuse this as well.
  }
}

class FileReservation implements Reservation {
  readonly #account: AccountName;
  readonly #places: readonly SpoolPlace[];
  readonly #sealer: Sealer;
  #draft: Draft | undefined;
  #saved: number | undefined;

  constructor(account: AccountName, draft: Draft, places: readonly SpoolPlace[], sealer: Sealer) {
    this.#account = account;
    this.#draft = draft;
    this.#places = places;
    this.#sealer = sealer;
  }

  async save(successor: Credential, generation: number): Promise<void> {
    const bytes = writeSuccessor(this.#sealer, this.#account, successor, generation);
    const failures: string[] = [];
    this.#saved = generation;
    const reserved = this.#draft;
    this.#draft = undefined;
    const [first] = this.#places;
    if (reserved !== undefined && first !== undefined && (await this.#try(first, reserved, bytes, failures))) return;
    // After a failed sync the kernel may forget what was not written, so a new try is a new file (scenario 6).
    for (const place of this.#places) if (await this.#try(place, undefined, bytes, failures)) return;
    throw new Fault(
      'successor-unsaved',
      `the new ${successor.kind.replace('_', ' ')} of account ${this.#account} could not be saved: ${failures.join('; ')}`,
      { hint: 'make room or mend the disk; tokeep holds it in memory and goes on trying, so do not stop it' },
    );
  }

  async release(): Promise<void> {
    const draft = this.#draft;
    this.#draft = undefined;
    const [first] = this.#places;
    if (draft !== undefined && first !== undefined) await drop(first, draft);
    if (this.#saved !== undefined) await discardAll(this.#places, this.#account, this.#saved);
  }

  async #try(place: SpoolPlace, given: Draft | undefined, bytes: Buffer, failures: string[]): Promise<boolean> {
    let draft = given;
    try {
      draft ??= await place.begin(this.#account);
      await place.finish(draft, this.#account, bytes);
      await draft.file.close();
      return true;
    } catch (thrown) {
      failures.push(thrown instanceof Fault ? thrown.message : `${place.path}: ${codeOf(thrown)}`);
      if (draft !== undefined) await drop(place, draft);
      return false;
    }
  }
}

async function discardAll(places: readonly SpoolPlace[], account: AccountName, generation: number): Promise<void> {
  for (const place of places) {
    try {
      await place.discard(account, generation);
    } catch {
      // It stays, is found again, and is told by its generation to be old.
    }
  }
}

async function pending(
  world: World,
  places: readonly SpoolPlace[],
  options: SpoolOptions,
  account: AccountName,
): Promise<SpooledSuccessor | undefined> {
  const found: SpooledSuccessor[] = [];
  for (const place of places) {
    const successor = await pendingIn(world, place, options, account);
    if (successor === undefined) continue;
    const { generation } = successor;
    found.push({ ...successor, discard: () => discardAll(places, account, generation) });
  }
  return found.sort((a, b) => b.generation - a.generation)[0];
}

async function pendingIn(world: World, place: SpoolPlace, options: SpoolOptions, account: AccountName) {
  try {
    await place.sweep(account);
    const found = await place.read(account);
    if (found === undefined) return undefined;
    const { line } = found;
    if (line !== undefined) {
      const credential = unlessDamaged(() => openSuccessor(options.sealer, line));
      if (credential !== undefined) return { credential, generation: line.generation };
    }
    const aside = await place.moveAside(account);
    const sentence = `a saved successor of account ${account} was damaged; it lies in ${aside} now`;
    options.onFinding?.({ what: 'successor', name: account, at: world.clock.now(), sentence });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    throw new Fault(
      'state-write-failed',
      `${place.path} could not be searched for a successor of account ${account} (${codeOf(thrown)})`,
      { cause: thrown },
    );
  }
}

function unlessDamaged<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'seal-damaged') return undefined;
    throw thrown;
  }
}
