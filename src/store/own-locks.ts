import type { AccountLock, Store } from './store.ts';
import { Turns } from './turns.ts';

/**
 * The same store for a process that is alone with its accounts, since it holds `lockRun` and nobody else spends them: locks of accounts are
 * its own turns, without a file for each of tens of thousands.
 */
export function withOwnLocks(store: Store): Store {
  const turns = new Turns();
  return {
    ...store,
    async lockAccount(name, signal): Promise<AccountLock> {
      const end = await turns.take(name, signal);
      const release = async () => end();
      return { stillOurs: async () => true, release, [Symbol.asyncDispose]: release };
    },
  };
}
