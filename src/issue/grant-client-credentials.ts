import { askedTarget } from './asked-target.ts';
import type { Client } from './client.ts';
import type { ServerDesk } from './server-desk.ts';
import { signForClient } from './sign-for-client.ts';
import type { TokenGrant } from './token-grant.ts';

/** A token for the client itself (RFC 6749 section 4.4): `sub` is what the client was registered with. */
export function clientCredentialsGrant(desk: ServerDesk): TokenGrant {
  return {
    type: 'client_credentials',
    needs: 'client_credentials',
    async answer(request) {
      const target = askedTarget(request.form);
      if ('kind' in target) return target;
      const { client } = request.known;
      const signed = await signForClient(desk, request, {
        subject: client.subject,
        audiences: target.audiences.length === 0 ? usualAudiences(client) : target.audiences,
        everyone: target.everyone,
        scopes: target.scopes ?? usualScopes(client),
        claims: {},
      });
      return signed.kind === 'signed' ? { kind: 'issued', minted: signed.minted } : signed;
    },
  };
}

/** Who names no scope gets all that the client was registered with, word for word (RFC 6749 section 3.3); patterns are no scopes. */
const usualScopes = ({ scopes }: Client): readonly string[] => scopes.filter((scope) => !scope.includes('*'));

/** Who names no audience gets the one there is; where several are possible one has to choose. */
const usualAudiences = ({ audiences }: Client): readonly string[] =>
  audiences.length === 1 && !audiences[0]?.includes('*') ? audiences : [];
