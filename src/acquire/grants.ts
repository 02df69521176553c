import type { Account, GrantName } from '../config/config.ts';
import { clientCredentials } from './client-credentials.ts';
import type { Grant } from './grant.ts';
import { heldToken } from './held-token.ts';
import { idtoken } from './idtoken.ts';
import { mytokenGrant } from './mytoken.ts';
import { oidcAgentGrant } from './oidc-agent.ts';
import { refreshToken } from './refresh-token.ts';
import { signingKey } from './signing-key.ts';
import { tokenExchange } from './token-exchange.ts';
import { vaultGrant } from './vault.ts';

/** Every grant, by the name of its accounts. A new one is a file and a line here. */
const grants: { readonly [Name in GrantName]: Grant<Extract<Account, { grant: Name }>> } = {
  client_credentials: clientCredentials,
  refresh_token: refreshToken,
  oidc_agent: oidcAgentGrant,
  mytoken: mytokenGrant,
  vault: vaultGrant,
  token_exchange: tokenExchange,
  signing_key: signingKey,
  idtoken,
  held_token: heldToken,
};

/** The grant of an account. The table pairs names and kinds of account, which TypeScript cannot follow through the look-up. */
export function grantOf(account: Account): Grant {
  return grants[account.grant] as unknown as Grant;
}
