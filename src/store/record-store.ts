import type { Clock } from '../world/clock.ts';
import { AccountTable } from './account-table.ts';
import { drawBudget } from './budget.ts';
import type { Claimants } from './claimants.ts';
import type { Database } from './database.ts';
import { deliveryTable, issuerTable, noticeTable } from './document-table.ts';
import { readFindings } from './quarantine.ts';
import type { Sealer } from './sealer.ts';
import type { AccountLock, Store } from './store.ts';
import { enrolWishes, forgetWishes, parkWishes, registerWishes } from './wish-register.ts';
import { WishTable } from './wish-table.ts';

/** Locks, which the two databases make in different ways. */
export interface Locks {
  readonly claimants: Claimants;
  account(name: string, signal: AbortSignal): Promise<AccountLock>;
  run(): Promise<AsyncDisposable>;
  close(): Promise<void>;
}

/** Puts tables and locks together to a {@link Store}. */
export function recordStore(database: Database, locks: Locks, sealer: Sealer, clock: Clock): Store {
  const wishes = new WishTable(database, sealer, clock);
  const accounts = new AccountTable(database, sealer, clock);
  const deliveries = deliveryTable(database, clock);
  const issuers = issuerTable(database, clock);
  const notices = noticeTable(database, clock);
  return {
    register: (seeds, now) => registerWishes(database, seeds, now),
    enrol: (seeds, now) => enrolWishes(database, seeds, now),
    park: (names) => parkWishes(database, names),
    parked: () => wishes.parked(),
    forgetWishes: (names) => forgetWishes(database, names),
    wishes: (names) => wishes.read(names),
    claim: async (request) => wishes.claim(request, await locks.claimants.own(request.node)),
    voidDeadClaims: () => locks.claimants.voidDead((id) => wishes.endClaims(id)),
    settle: (next, token) => wishes.settle(next, token),
    release: (claims) => wishes.release(claims),
    nextDue: () => wishes.nextDue(),
    token: (wish) => wishes.token(wish),
    hasten: (names, now) => wishes.hasten(names, now),

    accounts: () => accounts.all(),
    account: (name) => accounts.one(name),
    secrets: (name) => accounts.secrets(name),
    saveAccount: (next, secrets) => accounts.save(next, secrets),
    forgetAccount: (name) => accounts.forget(name),
    lockAccount: (name, signal) => locks.account(name, signal),

    deliveries: () => deliveries.all(),
    deliveriesOf: (wish) => deliveries.of(wish),
    saveDelivery: (next) => deliveries.save(next),

    issuers: () => issuers.read(),
    saveIssuer: (next) => issuers.save([next]),
    drawBudget: (issuer, want, perSecond, now) => drawBudget(database, issuer, want, perSecond, now),

    notices: () => notices.read(),
    saveNotices: (next) => notices.save(next),

    findings: () => readFindings(database),
    lockRun: () => locks.run(),
    async close() {
      try {
        await locks.claimants.close((id) => wishes.endClaims(id));
      } finally {
        await locks.close();
        await database.close();
      }
    },
  };
}
