import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { World } from '../world/world.ts';
import { textOf } from './answer-json.ts';
import { clientOf } from './client-of.ts';
import { judgeTokenAnswer } from './judge.ts';
import { metadataCacheOf } from './metadata-cache.ts';
import { postToken } from './token-endpoint.ts';
import { issuerOf } from './token-endpoint-of.ts';

export interface RevokeContext {
  readonly world: World;
  readonly account: Account;
  readonly record: AccountRecord | undefined;
  readonly secrets: AccountSecrets;
  readonly signal?: AbortSignal;
}

export type RevokeOutcome =
  /** Also for a token that the issuer did not know any more (RFC 7009 section 2.2). */
  { readonly kind: 'revoked' } | { readonly kind: 'not-revoked'; readonly fault: Fault };

/** Tells the issuer that the account's refresh token is not wanted any more (RFC 7009). Throws Fault when its client's secret cannot be read. */
export async function revokeCredential(context: RevokeContext): Promise<RevokeOutcome> {
  const { world, account, record, secrets } = context;
  const { credential } = secrets;
  const issuer = issuerOf(account, record);
  if (credential?.kind !== 'refresh_token' || issuer === undefined)
    return cannot(account, 'it has no refresh token here');
  const common = {
    timeout: account.timeout,
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  };
  const outcome = await metadataCacheOf(world).get({ issuer, ...common });
  if (outcome.kind === 'failed') return { kind: 'not-revoked', fault: outcome.fault };
  const { revocationEndpoint } = outcome.metadata;
  if (revocationEndpoint === undefined) return cannot(account, `${issuer} offers no revocation`);
  const client = await clientOf(world, account, record, secrets);
  const answer = await postToken(world, {
    url: revocationEndpoint,
    form: new URLSearchParams({ token: credential.reveal(), token_type_hint: 'refresh_token' }),
    ...client,
    ...common,
    issuer,
    connection: 'fresh',
    secrets: [credential],
  });
  if (answer.kind === 'none') return { kind: 'not-revoked', fault: answer.fault };
  if (answer.status === 200 && textOf(answer, 'error') === undefined) return { kind: 'revoked' };
  const judged = judgeTokenAnswer(answer, { account: account.name, credential: undefined });
  return judged.kind === 'token' ? { kind: 'revoked' } : { kind: 'not-revoked', fault: judged.fault };
}

function cannot(account: Account, why: string): RevokeOutcome {
  const fault = new Fault(
    'issuer-unsupported',
    `the refresh token of account ${account.name} was not revoked: ${why}`,
    {
      hint: "revoke it on the issuer's own pages, if it has any",
    },
  );
  return { kind: 'not-revoked', fault };
}
