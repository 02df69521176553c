import { clientCredentialsGrant } from './grant-client-credentials.ts';
import type { ServerDesk } from './server-desk.ts';
import type { TokenGrant } from './token-grant.ts';

/** Every grant of the token endpoint, by its `grant_type`. A new one is a file and a line here. */
export function tokenGrants(desk: ServerDesk): ReadonlyMap<string, TokenGrant> {
  const grants = [clientCredentialsGrant(desk)];
  return new Map(grants.map((grant) => [grant.type, grant]));
}
