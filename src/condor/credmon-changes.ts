import { asFault } from '../fault/fault.ts';
import type { Engine } from '../renew/engine.ts';
import { deliverMissing, judgeAll } from '../renew/pass.ts';
import type { AccountName, WishName } from '../token/names.ts';
import { between, days } from '../token/time.ts';
import type { Changes, KeptCredentials } from './kept-credentials.ts';

/** A successor that is in the store alone waits this long for the directory of its user to come back. */
const successorsWait = days(7);

/** Who is told what changed in the directory. */
export interface Told {
  readonly engine: Engine;
  readonly kept: KeptCredentials;
}

/** Tells the engine what a look came to. A directory that is empty all at once may have been unmounted: then nothing is forgotten. */
export async function actOn({ enrol, replaced, mended, unfit, gone }: Changes, told: Told): Promise<void> {
  const { engine, kept } = told;
  const parked = kept.isEmpty ? [...unfit, ...gone.wishes] : unfit;
  if (parked.length > 0) await engine.park(parked);
  if (!kept.isEmpty && (gone.wishes.length > 0 || gone.accounts.length > 0)) {
    await engine.forget(gone.wishes, await withoutSuccessor(gone.accounts, told));
  }
  if (enrol.length > 0) await engine.enrol(enrol);
  await hasten([...(await putByOthers(replaced, told)), ...mended], told);
}

/** A `.use` that somebody removed, whose token is still good. */
export async function deliverBare(engine: Engine, names: readonly WishName[]): Promise<void> {
  if (names.length === 0) return;
  const judged = await judgeAll(engine, { mode: 'daemon' }, names);
  const fresh = judged.filter(({ verdict }) => verdict.kind !== 'due');
  await deliverMissing(engine, fresh, {}, 'forced', 'places');
}

/**
 * Forgets what went while nobody ran, or was parked. Not because of an empty directory, which may not be mounted yet; and not a credential
 * that stands there and is no wish at the moment, since that may be the fault of a setting.
 */
export async function forgetAbsent(told: Told): Promise<void> {
  const { engine, kept } = told;
  const { store } = engine.ports;
  if (kept.isEmpty) return;
  const gone = (await store.parked()).filter((name) => !kept.stands(name));
  const absent = (await store.accounts()).filter(({ name }) => !kept.config.accounts.has(name) && !kept.stands(name));
  const names = absent.map(({ name }) => name);
  await engine.forget(gone, await withoutSuccessor(names, told));
}

/** A successor that is in the store alone stays: a directory that went may come back, with the spent one in its `.top`. */
async function withoutSuccessor(names: readonly AccountName[], { engine }: Told): Promise<readonly AccountName[]> {
  const { store, world, log } = engine.ports;
  const unneeded: AccountName[] = [];
  for (const name of names) {
    try {
      const obtainedAt = (await store.account(name))?.credential?.obtainedAt;
      const isLate = obtainedAt !== undefined && between(obtainedAt, world.clock.now()) > successorsWait;
      if (isLate || (await store.secrets(name)).credential === undefined) unneeded.push(name);
    } catch (thrown) {
      // Sealed with another key: it stays, and holds up nobody.
      const doing = `looking for a refresh token of ${name}`;
      log.event('unexpected-fault', { doing, reason: asFault(thrown, doing).message });
    }
  }
  return unneeded;
}

/** A successor of ours says nothing about why its answer was no good: that has its own pause. */
async function putByOthers(names: readonly WishName[], { engine, kept }: Told): Promise<readonly WishName[]> {
  const byOthers: WishName[] = [];
  for (const name of names) {
    const account = kept.config.wishes.get(name)?.account;
    if (account === undefined) continue;
    const known = (await engine.ports.store.account(account))?.credential?.fingerprint;
    if (known === undefined || known !== kept.heldBy(account)) byOthers.push(name);
  }
  return byOthers;
}

/** Another credential than the one that failed, or another account: it is tried now. */
async function hasten(names: readonly WishName[], { engine }: Told): Promise<void> {
  if (names.length === 0) return;
  const { store, world } = engine.ports;
  const records = await store.wishes(names);
  const troubled = records.filter(({ trouble, token }) => trouble !== null || token === null).map(({ name }) => name);
  if (troubled.length > 0) await store.hasten(troubled, world.clock.now());
}
