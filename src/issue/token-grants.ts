import { clientCredentialsGrant } from './grant-client-credentials.ts';
import { refreshTokenGrant } from './grant-refresh-token.ts';
import { tokenExchangeGrant } from './grant-token-exchange.ts';
import { type RefreshTimes, usualRefreshTimes } from './refresh-rotation.ts';
import type { ServerDesk } from './server-desk.ts';
import type { TokenGrant } from './token-grant.ts';

/** Every grant of the token endpoint, by its `grant_type`. A new one is a file and a line here. */
export function tokenGrants(
  desk: ServerDesk,
  refresh: RefreshTimes = usualRefreshTimes,
): ReadonlyMap<string, TokenGrant> {
  const grants = [clientCredentialsGrant(desk), tokenExchangeGrant(desk, refresh), refreshTokenGrant(desk, refresh)];
  return new Map(grants.map((grant) => [grant.type, grant]));
}
