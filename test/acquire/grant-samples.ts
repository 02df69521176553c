import type { GrantContext, TokenRequest } from '../../src/acquire/grant.ts';
import type {
  Account,
  ClientAuth,
  ClientCredentialsAccount,
  IssuerRef,
  RefreshTokenAccount,
  TokenExchangeAccount,
} from '../../src/config/config.ts';
import type { AccountRecord, AccountSecrets } from '../../src/store/records.ts';
import type { AccountName, Audience, IssuerUrl, Scope, WishName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';

type Client = { readonly client_id: string; readonly client_secret?: string };

const base = {
  name: 'pilot' as AccountName,
  at: { file: 'tokeep.yaml', line: 1, column: 1 },
  audienceStyle: 'auto',
  timeout: seconds(10),
  fingerprint: 'a1',
} as const;

export const discovered = (issuer: string): IssuerRef => ({ kind: 'discovered', issuer: issuer as IssuerUrl });

export function basicAuth(secret: string, encoding: 'form' | 'raw' = 'form'): ClientAuth {
  return {
    kind: 'client_secret_basic',
    secret: { kind: 'inline', secret: new Secret('client_secret', secret) },
    encoding,
  };
}

const clientOf = (client: Client) => ({
  clientId: client.client_id,
  clientAuth: client.client_secret === undefined ? ({ kind: 'none' } as const) : basicAuth(client.client_secret),
});

export function robotAccount(
  issuer: string,
  client: Client,
  change: Partial<ClientCredentialsAccount> = {},
): ClientCredentialsAccount {
  return { ...base, grant: 'client_credentials', issuer: discovered(issuer), ...clientOf(client), ...change };
}

export function personAccount(
  issuer: string,
  client: Client,
  change: Partial<RefreshTokenAccount> = {},
): RefreshTokenAccount {
  return { ...base, grant: 'refresh_token', issuer: discovered(issuer), client: clientOf(client), ...change };
}

export function exchangeAccount(issuer: string, client: Client): TokenExchangeAccount {
  const subject = 'broad' as WishName;
  return { ...base, grant: 'token_exchange', issuer: discovered(issuer), ...clientOf(client), subject };
}

export function accountRecord(change: Partial<AccountRecord> = {}): AccountRecord {
  return {
    name: base.name,
    fingerprint: 'a1',
    state: 'kept',
    generation: 1,
    login: 'ready',
    credential: null,
    expiry: { kind: 'unknown' },
    intent: null,
    trouble: null,
    writeBack: null,
    learnt: {},
    client: null,
    ...change,
  };
}

/** The real world, with proxies of the machine left out. */
export function testWorld(change: Partial<World> = {}): World {
  return { ...realWorld(), ...change };
}

export function contextOf<A extends Account>(
  world: World,
  account: A,
  change: { readonly record?: AccountRecord; readonly secrets?: AccountSecrets } = {},
): GrantContext<A> {
  const { record, secrets = {} } = change;
  return { world, account, record, secrets, signal: new AbortController().signal };
}

export const refreshSecrets = (text: string): AccountSecrets => ({ credential: new Secret('refresh_token', text) });

/** `audiences` and `scopes` separated by blanks; no scopes means none is asked for. */
export function wish(audiences = '', scopes = ''): TokenRequest {
  const words = (text: string) => text.split(' ').filter((word) => word !== '');
  return {
    audience: { audiences: words(audiences) as Audience[] },
    scope: scopes === '' ? { kind: 'absent' } : { kind: 'scopes', scopes: words(scopes) as Scope[] },
  };
}
