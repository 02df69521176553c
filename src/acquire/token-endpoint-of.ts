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
  const named = record?.client?.issuer as IssuerUrl | undefined;
  const learnt = record?.learnt[ownName] as IssuerUrl | undefined;
  return named !== undefined && learnt === otherSlash(named) ? learnt : named;
}

/** Under which the issuer calls itself in `learnt`, where a login came with a name that is nearly the same. */
const ownName = 'issuer-name';

/** oidc-agent 4 writes issuers with a slash at the end, whether it belongs to the name or not. */
const otherSlash = (issuer: IssuerUrl): IssuerUrl =>
  (issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`) as IssuerUrl;

/** What an account's record is to remember of the endpoint that was found. */
export function learntOfEndpoint(
  account: Account,
  record: AccountRecord | undefined,
  { issuer }: TokenEndpoint,
): Readonly<Record<string, string>> {
  return issuer === undefined || issuer === issuerOf(account, record) ? {} : { [ownName]: issuer };
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
      hint: `log in: tokeep account login ${account.name}`,
    });
    return { kind: 'none', sent: 'no', fault };
  }
  const metadataOf = (name: IssuerUrl) =>
    metadataCacheOf(world).get({
      issuer: name,
      timeout: account.timeout,
      signal,
      ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
    });
  let outcome = await metadataOf(issuer);
  if (
    outcome.kind === 'failed' &&
    outcome.fault.code === 'issuer-mismatch' &&
    account.issuer.kind === 'of-credential'
  ) {
    const other = await metadataOf(otherSlash(issuer));
    if (other.kind === 'metadata') outcome = other;
  }
  if (outcome.kind === 'failed') return { kind: 'none', sent: 'no', fault: outcome.fault };
  return { kind: 'endpoint', url: outcome.metadata.tokenEndpoint, issuer: outcome.metadata.issuer };
}
