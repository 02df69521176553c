import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord } from '../store/records.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { World } from '../world/world.ts';
import type { NoAnswer } from './grant.ts';
import { metadataCacheOf } from './metadata-cache.ts';

export interface TokenEndpoint {
  readonly kind: 'endpoint';
  readonly url: string;
  /** Absent for an account that only names a token endpoint. */
  readonly issuer?: IssuerUrl;
}

/** The issuer of an account: the one configured, or the one its login was at. */
export function issuerOf(account: Account, record: AccountRecord | undefined): IssuerUrl | undefined {
  if (account.issuer.kind === 'discovered') return account.issuer.issuer;
  if (account.issuer.kind === 'token-endpoint') return undefined;
  return record?.client?.issuer as IssuerUrl | undefined;
}

/** What the limits of an issuer apply to: the issuer, or the origin that is asked where there is none. */
export function issuerKeyOf(account: Account, record: AccountRecord | undefined): string {
  if (account.issuer.kind === 'token-endpoint') return new URL(account.issuer.url).origin;
  return issuerOf(account, record) ?? `account:${account.name}`;
}

/** Where an account asks for tokens; looked up in the issuer's metadata where it is not configured. */
export async function tokenEndpointOf(
  world: World,
  account: Account,
  record: AccountRecord | undefined,
  signal: AbortSignal,
): Promise<TokenEndpoint | NoAnswer> {
  if (account.issuer.kind === 'token-endpoint') return { kind: 'endpoint', url: account.issuer.url };
  const issuer = issuerOf(account, record);
  if (issuer === undefined) {
    const fault = new Fault('login-needed', `account ${account.name} has no login yet, so its issuer is not known`, {
      hint: `log in: tokeep setup ${account.name}`,
    });
    return { kind: 'none', sent: 'no', fault };
  }
  const outcome = await metadataCacheOf(world).get({
    issuer,
    timeout: account.timeout,
    signal,
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
  });
  if (outcome.kind === 'failed') return { kind: 'none', sent: 'no', fault: outcome.fault };
  return { kind: 'endpoint', url: outcome.metadata.tokenEndpoint, issuer };
}
