import type { FastifyInstance } from 'fastify';
import { isForEveryone } from '../token/audience.ts';
import type { Client } from './client.ts';
import { addClientEndpoint } from './client-endpoint.ts';
import { isRevoked, type OwnToken } from './own-tokens.ts';
import type { ServerDesk } from './server-desk.ts';
import { routeOf } from './server-urls.ts';

/**
 * RFC 7662: does this token still hold, and what does it say? Answered only to the services that it is for, which are the
 * audiences a client was registered to serve; everybody else hears the same as of a token that has ended (ISS-18).
 */
export function addIntrospection(app: FastifyInstance, desk: ServerDesk): void {
  addClientEndpoint(app, desk, {
    name: 'introspection',
    path: routeOf(desk.urls.introspection),
    async answer({ form, known }) {
      const text = form.one('token');
      if (text === undefined) return { kind: 'error', error: 'invalid_request', why: 'token is missing' };
      const token = await desk.tokens.read(text);
      const shown =
        token !== undefined && isFor(known.client, token) && !(await isRevoked(desk.issuer.database, token.jti));
      desk.counts.add('introspections', { active: shown ? 'yes' : 'no' });
      return {
        kind: 'json',
        body: shown ? { ...token.claims, active: true, token_type: 'Bearer' } : { active: false },
      };
    },
  });
}

/** A token for every service is for each that serves anything at all. */
function isFor({ serves }: Client, { audiences }: OwnToken): boolean {
  return audiences.some((audience) => serves.includes(audience) || (serves.length > 0 && isForEveryone(audience)));
}
