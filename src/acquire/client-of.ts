import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import { type Mono, minutes } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { type ConfiguredClient, type ResolvedClientAuth, resolveClientAuth } from './client-auth.ts';

export interface ReadyClient {
  readonly clientId: string;
  readonly auth: ResolvedClientAuth;
}

interface Resolved {
  readonly client: Promise<ReadyClient>;
  readonly until: Mono;
}

/** A secret may lie behind a command, and is not read for every token; a changed one is noticed this soon, or when the old one is refused. */
const kept = minutes(1);
const resolved = new WeakMap<Account, Resolved>();

/**
 * The client of an account with its secret at hand: the one of the configuration, or the one that was registered at login.
 * Throws Fault `secret-unreadable`, or `login-needed` where there is no client at all.
 */
export async function clientOf(
  world: World,
  account: Account,
  record: AccountRecord | undefined,
  secrets: AccountSecrets,
): Promise<ReadyClient> {
  const configured = configuredClient(account);
  if (configured === undefined) return storedClient(account, record, secrets);
  const known = resolved.get(account);
  const now = world.clock.monotonic();
  if (known !== undefined && now < known.until) return await known.client;
  const client = resolveClientAuth(world, configured).then((auth) => ({ clientId: configured.clientId, auth }));
  resolved.set(account, { client, until: (now + kept) as Mono });
  client.catch(() => resolved.delete(account));
  return await client;
}

/** The next request reads the secret again. */
export function forgetClient(account: Account): void {
  resolved.delete(account);
}

/** The client that the configuration names, if it names one. */
export function configuredClient(account: Account): ConfiguredClient | undefined {
  switch (account.grant) {
    case 'client_credentials':
    case 'token_exchange':
      return account;
    case 'refresh_token':
      return account.client;
    default:
      return undefined;
  }
}

/** What registration, or an oidc-agent account file, gave; its secret is in the store. */
function storedClient(account: Account, record: AccountRecord | undefined, secrets: AccountSecrets): ReadyClient {
  const client = record?.client ?? undefined;
  if (client === undefined) {
    throw new Fault('login-needed', `account ${account.name} has neither a client in the configuration nor a login`, {
      hint: `log in: tokeep account login ${account.name}`,
    });
  }
  const { clientId, authMethod } = client;
  const secret = secrets.clientSecret;
  if (secret === undefined || authMethod === 'none') return { clientId, auth: { kind: 'none' } };
  if (authMethod === 'client_secret_post') return { clientId, auth: { kind: 'client_secret_post', secret } };
  return { clientId, auth: { kind: 'client_secret_basic', secret, encoding: 'form' } };
}
