import type { Records } from '../observe/conditions.ts';
import type { Store } from '../store/store.ts';

/** All that status, conditions and metrics are derived from. */
export async function gatherRecords(store: Store): Promise<Records> {
  const [wishes, accounts, deliveries, issuers, notices, findings] = await Promise.all([
    store.wishes(),
    store.accounts(),
    store.deliveries(),
    store.issuers(),
    store.notices(),
    store.findings(),
  ]);
  return { wishes, accounts, deliveries, issuers, notices, findings };
}
