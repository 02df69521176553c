import type { Grant, GrantContext } from '../acquire/grant.ts';
import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord } from '../store/records.ts';
import type { SpooledSuccessor } from '../store/spool.ts';
import { blankAccount, unknownSince } from './account-state.ts';
import { adoptFromAgent, writeBack } from './agent-adoption.ts';
import type { CredentialHome, HomePorts, KnownAccount, Ready } from './credential-home.ts';
import { adopt } from './known-account.ts';

/** The store, with its spool: where credentials lie that are tokeep's own. */
export const storeHome: CredentialHome = {
  ready: readyCredential,
  reserve: (ports, account) => ports.spool.reserve(account.name),
  async record(ports, next, secrets) {
    await ports.store.saveAccount(next, secrets);
    return next;
  },
  settled: writeBack,
  async [Symbol.asyncDispose]() {},
};

/**
 * Under the account's lock: the credential as it really is now. A successor that a dead process left in the spool comes first,
 * then what the configuration names, then an oidc-agent account file that is to be taken over.
 */
async function readyCredential(ports: HomePorts, account: Account, grant: Grant, signal: AbortSignal): Promise<Ready> {
  const stored = await ports.store.account(account.name);
  let known: KnownAccount = {
    record: stored ?? blankAccount(account),
    secrets: stored === undefined ? {} : await ports.store.secrets(account.name),
  };
  known = await recoverSpooled(ports, account, known);
  known = await adoptNamed(ports, account, grant, known, signal);
  known = await adoptFromAgent(ports, account, known);
  if (known.secrets.credential !== undefined) return { kind: 'ready', ...known };
  const sentence = `account ${account.name} has no login yet`;
  return {
    kind: 'none',
    fault: new Fault('login-needed', sentence, { hint: `make one with: tokeep account login ${account.name}` }),
  };
}

/** A successor whose process died before the store had it (scenario 1). */
async function recoverSpooled(ports: HomePorts, account: Account, known: KnownAccount): Promise<KnownAccount> {
  const spooled = await ports.spool.pending(account.name);
  if (spooled === undefined) return known;
  const newer = isNews(spooled, known.record);
  const kept = newer ? await adopt(ports, account, known, { credential: spooled.credential }) : known;
  await spooled.discard();
  if (newer) ports.log.event('successor-recovered', { account: account.name });
  return kept;
}

/**
 * An older one than the store's is of no use, unless the store's is dead: another node, which could not see our spool, may have
 * presented the spent one meanwhile. A record that was damaged and went back stands at the generation of the successor it lacks.
 */
function isNews({ generation, credential }: SpooledSuccessor, record: AccountRecord): boolean {
  if (generation > record.generation) return true;
  if (credential.fingerprint === record.credential?.fingerprint) return false;
  return record.login === 'dead' || (generation === record.generation && unknownSince(record) !== undefined);
}

const firstKey = 'first-credential';

/** A credential named by the configuration is taken once; after that its successors lead, until another one is named. */
async function adoptNamed(
  ports: HomePorts,
  account: Account,
  grant: Grant,
  known: KnownAccount,
  signal: AbortSignal,
): Promise<KnownAccount> {
  if (grant.firstCredential === undefined) return known;
  const context: GrantContext = { world: ports.world, account, ...known, signal };
  const named = await grant.firstCredential(context);
  if (named === undefined || known.record.learnt[firstKey] === named.fingerprint) return known;
  const learnt = { ...known.record.learnt, [firstKey]: named.fingerprint };
  return adopt(ports, account, known, { credential: named, record: { learnt } });
}
