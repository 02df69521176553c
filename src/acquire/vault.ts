import type { VaultAccount } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { Fault } from '../fault/fault.ts';
import { millis } from '../token/time.ts';
import { credentialAtHand } from './credential-at-hand.ts';
import type { Grant, GrantContext, NoAnswer, RawAnswer, Salvage, TokenRequest } from './grant.ts';
import { judgeVaultAnswer } from './vault-judge.ts';
import { askVault, tendVaultToken, type VaultAccess } from './vault-token.ts';

type Context = GrantContext<VaultAccount>;

/** Set on our own raw answer, over anything a server might send: what the look-up said of the vault token. */
const tokenState = 'x-vault-token-state';
const tokenLeft = 'x-vault-token-left';

/** What htgettoken asks for when nobody says more. */
const usualMinimum = 60;

/** Reads access tokens from htgettoken's place in a Vault or OpenBao, which has the refresh token, with a vault token. */
export const vaultGrant: Grant<VaultAccount> = {
  name: 'vault',
  asks: 'issuer',
  spends: 'nothing',
  issuerKey: (account) => account.server,
  firstCredential: ({ world, account }) => readSecret(world, account.vaultToken, 'vault_token'),
  send,
  salvage,
  judge: (raw, { account }) => judgeVaultAnswer(raw, account, raw.headers[tokenState] === 'alive'),
};

async function send(context: Context, request: TokenRequest): Promise<RawAnswer | NoAnswer> {
  const { world, account, signal } = context;
  const none = (fault: Fault): NoAnswer => ({ kind: 'none', sent: 'no', fault });
  const token = await credentialAtHand(context, 'vault_token', account.vaultToken);
  if (token instanceof Fault) return none(token);
  const path = pathFor(account, request);
  if (path instanceof Fault) return none(path);
  const access: VaultAccess = { world, account, token, signal };
  const state = await tendVaultToken(access);
  if (state.kind === 'unreachable') return none(state.fault);
  const answer = await read(access, path, request);
  if (answer.kind === 'no-answer') return { kind: 'none', sent: answer.sent, fault: answer.fault };
  const left = state.kind === 'alive' && state.left !== undefined ? String(state.left) : undefined;
  return {
    ...answer,
    kind: 'raw',
    headers: { ...answer.headers, [tokenState]: state.kind, [tokenLeft]: left },
    asked: { url: `${account.server}/v1/${path}`, secrets: [token] },
  };
}

/** A narrowed token is exchanged for, at the `sts` path beside `creds`. */
function pathFor(account: VaultAccount, { scope, audience }: TokenRequest): string | Fault {
  const { secretPath } = account;
  if (scope.kind !== 'scopes' && audience.audiences.length === 0) return secretPath;
  if (secretPath.includes('/sts/')) return secretPath;
  if (secretPath.includes('/creds/')) return secretPath.replace('/creds/', '/sts/');
  return new Fault(
    'request-refused',
    `account ${account.name} cannot narrow tokens: ${secretPath} has no /creds/ in it`,
    {
      hint: 'give the path as htgettoken prints it, such as secret/oauth/creds/ISSUER/CREDKEY:ROLE',
    },
  );
}

/**
 * The vault keeps a token and hands it out while it has `minimum_seconds` left. Where the issuer does not give tokens that long,
 * it fetches one and then says that it is expired: asked for less, it gives that one.
 */
async function read(access: VaultAccess, path: string, request: TokenRequest) {
  const wished = Math.ceil(Math.max(request.atLeast ?? 0, request.lifetime ?? 0) / 1000);
  const minimum = Math.max(wished, usualMinimum);
  const answer = await askVault(access, 'GET', `${path}?${query(request, minimum)}`);
  const tooMuch = answer.kind === 'answer' && answer.status === 400 && /token expired/.test(answer.body);
  return tooMuch && minimum > usualMinimum
    ? askVault(access, 'GET', `${path}?${query(request, usualMinimum)}`)
    : answer;
}

function query({ scope, audience }: TokenRequest, minimum: number): URLSearchParams {
  const form = new URLSearchParams({ minimum_seconds: String(minimum) });
  if (scope.kind === 'scopes') form.set('scopes', scope.scopes.join(','));
  if (audience.audiences.length > 0) form.set('audiences', audience.audiences.join(','));
  return form;
}

/** The vault token is never replaced; its life is what the look-up, or its renewal, said. */
function salvage(raw: RawAnswer): Salvage {
  const left = raw.headers[tokenLeft];
  return { successor: undefined, credentialExpiresIn: left === undefined ? undefined : millis(Number(left)) };
}
