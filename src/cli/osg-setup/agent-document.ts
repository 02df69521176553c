import type { RegisteredClient } from '../../acquire/registration.ts';
import type { RefreshToken } from '../../token/secret.ts';

export interface NewAgentAccount {
  readonly name: string;
  readonly host: string;
  readonly issuer: string;
  readonly deviceEndpoint: string;
  readonly client: RegisteredClient;
  readonly sharedClient: boolean;
  readonly refreshToken: RefreshToken;
  readonly scope: readonly string[];
  readonly redirectUris: readonly string[];
}

/**
 * An account as oidc-gen would write it, so that switching back to oidc-agent works: the members of version 5.3.3, with an
 * empty text for what is absent. What registration gave is kept for oidc-gen's own update and delete.
 */
export function agentDocument(account: NewAgentAccount): Readonly<Record<string, unknown>> {
  const { client, scope } = account;
  return {
    name: account.name,
    client_name: `tokeep:${account.name}-${account.host}`,
    issuer_url: account.issuer,
    mytoken_url: '',
    config_endpoint: '',
    device_authorization_endpoint: account.deviceEndpoint,
    daeSetByUser: 0,
    client_id: client.clientId,
    client_secret: client.clientSecret?.reveal() ?? '',
    refresh_token: account.refreshToken.reveal(),
    cert_path: '',
    auth_scope: scope.join(' '),
    refresh_scope: scope.filter((one) => one !== 'offline_access').join(' '),
    audience: '',
    oauth: 0,
    uses_pub_client: account.sharedClient ? 1 : 0,
    redirect_uris: account.redirectUris,
    username: '',
    password: '',
    ...(client.registrationToken === undefined ? {} : { registration_access_token: client.registrationToken.reveal() }),
    ...(client.registrationUri === undefined ? {} : { registration_client_uri: client.registrationUri }),
  };
}
