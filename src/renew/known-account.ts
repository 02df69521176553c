import type { Account } from '../config/config.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { Credential } from '../token/secret.ts';
import { withCredential } from './account-state.ts';
import { expiryOf } from './credential-expiry.ts';
import type { HomePorts, KnownAccount } from './credential-home.ts';

/** Makes a credential the account's own, durably. */
export async function adopt(
  ports: HomePorts,
  account: Account,
  known: KnownAccount,
  change: {
    readonly credential: Credential;
    readonly secrets?: AccountSecrets;
    readonly record?: Partial<AccountRecord>;
  },
): Promise<KnownAccount> {
  const at = ports.world.clock.now();
  const { credential } = change;
  const expiry = expiryOf({ credential, says: undefined, account, at });
  const record = {
    ...withCredential(known.record, credential, at, expiry),
    fingerprint: account.fingerprint,
    ...change.record,
  };
  const secrets = { ...known.secrets, ...change.secrets, credential };
  await ports.store.saveAccount(record, secrets);
  return { record, secrets };
}
