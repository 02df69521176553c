import type { Account } from '../config/config.ts';
import type { CredmonSettings } from './settings.ts';

const accounts = new WeakMap<CredmonSettings, Map<string, Account>>();

/**
 * One account for all users of a provider, as long as the settings are the same: what was learnt of an issuer, and the secret that was read,
 * is remembered by account.
 */
export function sharedAccount(settings: CredmonSettings, provider: string, make: () => Account): Account {
  const known = accounts.get(settings) ?? new Map<string, Account>();
  accounts.set(settings, known);
  const account = known.get(provider) ?? make();
  known.set(provider, account);
  return account;
}
