import type { VaultAccount } from '../config/config.ts';
import type { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import { type Millis, seconds } from '../token/time.ts';
import type { HttpAnswer, HttpNoAnswer } from '../world/http.ts';
import type { World } from '../world/world.ts';
import { parseObject } from './answer-json.ts';

type Json = Readonly<Record<string, unknown>>;

const largestAnswer = 1024 * 1024;

/** One account's way to its vault, with the vault token in the header. */
export interface VaultAccess {
  readonly world: World;
  readonly account: VaultAccount;
  readonly token: Secret<'vault_token'>;
  readonly signal: AbortSignal;
}

/** Asks for `path` below `/v1/`; slashes and colons in it go out as they are. */
export function askVault(
  access: VaultAccess,
  method: 'GET' | 'POST',
  path: string,
): Promise<HttpAnswer | HttpNoAnswer> {
  const { world, account, token, signal } = access;
  return world.http.send({
    method,
    url: new URL(`${account.server.replace(/\/+$/, '')}/v1/${path}`),
    headers: { 'x-vault-token': token.reveal() },
    ...(method === 'POST' ? { body: '{}' } : {}),
    timeout: account.timeout,
    maxBytes: largestAnswer,
    connection: 'pooled',
    signal,
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
  });
}

/**
 * What is known of the vault token itself. `alive` with no `left` is one that never ends; `unknown` means that the look-up was
 * refused, which may be the policy's doing and says nothing about the token.
 */
export type VaultTokenState =
  | { readonly kind: 'alive'; readonly left: Millis | undefined }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unreachable'; readonly fault: Fault };

/**
 * Looks the vault token up and renews it when it can be renewed and less than half of its life is left: so a token with a period
 * is kept for ever. Renewing does not change the token. What the vault refuses here does not count: reading the secret decides.
 */
export async function tendVaultToken(access: VaultAccess): Promise<VaultTokenState> {
  const answer = await askVault(access, 'GET', 'auth/token/lookup-self');
  if (answer.kind === 'no-answer') return { kind: 'unreachable', fault: answer.fault };
  const facts = member(answer, 'data');
  if (facts === undefined) return { kind: 'unknown' };
  const ttl = secondsOf(facts['ttl']);
  if (ttl === undefined) return { kind: 'alive', left: undefined };
  const whole = secondsOf(facts['period']) ?? secondsOf(facts['creation_ttl']) ?? ttl;
  if (facts['renewable'] !== true || ttl >= whole / 2) return { kind: 'alive', left: ttl };
  const renewed = member(await askVault(access, 'POST', 'auth/token/renew-self'), 'auth');
  return { kind: 'alive', left: secondsOf(renewed?.['lease_duration']) ?? ttl };
}

function member(answer: HttpAnswer | HttpNoAnswer, name: 'data' | 'auth'): Json | undefined {
  if (answer.kind === 'no-answer' || answer.status !== 200) return undefined;
  const value = parseObject(answer.body)?.[name];
  return typeof value === 'object' && value !== null ? (value as Json) : undefined;
}

/** Vault writes 0 for a token that does not end and for a period that there is not. */
function secondsOf(value: unknown): Millis | undefined {
  return typeof value === 'number' && value > 0 ? seconds(value) : undefined;
}
