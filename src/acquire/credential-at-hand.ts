import type { SecretRef } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import type { GrantContext } from './grant.ts';

/** The credential that is kept for the account, else the one that its configuration names; a Fault when that cannot be read. */
export async function credentialAtHand<K extends 'mytoken' | 'vault_token'>(
  { world, account, secrets }: GrantContext,
  kind: K,
  configured: SecretRef,
): Promise<Secret<K> | Fault> {
  if (secrets.credential?.kind === kind) return secrets.credential as Secret<K>;
  try {
    return await readSecret(world, configured, kind);
  } catch (thrown) {
    return asFault(thrown, `reading the ${kind.replace('_', ' ')} of account ${account.name}`);
  }
}
