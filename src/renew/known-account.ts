import type { Account } from '../config/config.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { Credential } from '../token/secret.ts';
import { withCredential } from './account-state.ts';
import { expiryOf } from './credential-expiry.ts';
import type { RenewPorts } from './ports.ts';

/** An account's record and secrets, read under its lock. */
export interface KnownAccount {
  readonly record: AccountRecord;
  readonly secrets: AccountSecrets;
}

/** Makes a credential the account's own, durably. */
export async function adopt(
  ports: RenewPorts,
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
