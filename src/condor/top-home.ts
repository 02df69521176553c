import type { Account } from '../config/config.ts';
import { blankAccount, next, withCredential } from '../renew/account-state.ts';
import { expiryOf } from '../renew/credential-expiry.ts';
import type { CredentialHome, HomePorts, KnownAccount, Ready } from '../renew/credential-home.ts';
import type { AccountRecord } from '../store/records.ts';
import type { Credential } from '../token/secret.ts';
import type { World } from '../world/world.ts';
import { HeldTop, type TopPlace } from './top-place.ts';

/** In `learnt`: the credential that stood in the `.top` file when we last looked, or wrote it. */
const inTop = 'top-file';

/**
 * The `.top` file of a user is the credential's home: what stands there leads, and a successor is renamed into it before its answer is
 * judged, so that the shipped credmon can take over at any time. The store has the record only; the successor itself it has when the
 * `.top` could not be written, until that can be made up for.
 */
export function topHome(world: World, place: TopPlace): CredentialHome {
  const top = new HeldTop(world, place);
  return {
    ready: (ports, account) => ready(ports, account, top),
    reserve: (ports, _account, { credential }) => top.reserve(credential?.fingerprint, ports.log),
    async record(ports, record, secrets, where) {
      const { credential } = secrets;
      const saved = where === 'reserved' && credential !== undefined ? withTop(record, credential) : record;
      await ports.store.saveAccount(saved, where === 'reserved' ? undefined : secrets);
      return saved;
    },
    settled: async (ports, _account, record) => {
      if (record.credential === null || record.learnt[inTop] === record.credential.fingerprint) return;
      // Said by `ready`, which tries again before the next request.
      await makeUpFor(ports, top, record).catch(() => {});
    },
    [Symbol.asyncDispose]: () => top[Symbol.asyncDispose](),
  };
}

async function ready(ports: HomePorts, account: Account, held: HeldTop): Promise<Ready> {
  const stored = await ports.store.account(account.name);
  const record = stored ?? blankAccount(account);
  const top = await held.read();
  if (top.kind === 'none') return top;
  const { credential } = top;
  if (record.credential?.fingerprint === credential.fingerprint) {
    return { kind: 'ready', record, secrets: { credential } };
  }
  const unwritten = record.learnt[inTop] === credential.fingerprint;
  const known = unwritten ? await makeUpFor(ports, held, record) : undefined;
  return { kind: 'ready', ...(known ?? (await takeOver(ports, account, record, credential))) };
}

/** Somebody put another credential there: a new login, condor_store_cred, or a successor of ours whose record was never written. */
async function takeOver(
  ports: HomePorts,
  account: Account,
  record: AccountRecord,
  credential: Credential,
): Promise<KnownAccount> {
  const at = ports.world.clock.now();
  const expiry = expiryOf({ credential, says: undefined, account, at });
  const taken = {
    ...withTop(withCredential(record, credential, at, expiry), credential),
    fingerprint: account.fingerprint,
  };
  await ports.store.saveAccount(taken);
  return { record: taken, secrets: { credential } };
}

/** The `.top` file still has what was spent, and the store has its successor. Undefined if the store has it no more. */
async function makeUpFor(ports: HomePorts, top: HeldTop, record: AccountRecord): Promise<KnownAccount | undefined> {
  const { credential } = await ports.store.secrets(record.name);
  if (credential === undefined || credential.fingerprint !== record.credential?.fingerprint) return undefined;
  const spent = record.learnt[inTop];
  if (!(await top.replace(spent, credential))) return undefined;
  const saved = next(withTop(record, credential), {});
  await ports.store.saveAccount(saved);
  ports.log.event('successor-recovered', { account: record.name });
  return { record: saved, secrets: { credential } };
}

const withTop = (record: AccountRecord, credential: Credential): AccountRecord => ({
  ...record,
  learnt: { ...record.learnt, [inTop]: credential.fingerprint },
});
