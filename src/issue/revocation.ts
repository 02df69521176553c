import type { FastifyInstance } from 'fastify';
import type { AuditEntry } from '../mint/audit.ts';
import { entryOf } from './client-audit.ts';
import { addClientEndpoint, type EndpointAnswer } from './client-endpoint.ts';
import type { ClientRequest } from './client-request.ts';
import { familyOfToken, revokeFamily } from './family-table.ts';
import { holdToken, revokeToken } from './own-tokens.ts';
import type { ServerDesk } from './server-desk.ts';
import { routeOf } from './server-urls.ts';

const done: EndpointAnswer = { kind: 'empty' };

/** Said of tokens of others: whoever has the token learns nothing new (RFC 7009 section 2.1). */
const ofOthers: EndpointAnswer = {
  kind: 'error',
  error: 'unauthorized_client',
  why: 'the token was given to another client',
};

/**
 * RFC 7009: a client gives back what it was given. What we do not know, or what has ended, is answered like what was revoked. A
 * refresh token takes its family with it; an access token is denied by introspection and exchange from then on, while services that look
 * at its signature alone accept it until it ends.
 */
export function addRevocation(app: FastifyInstance, desk: ServerDesk): void {
  addClientEndpoint(app, desk, {
    name: 'revocation',
    path: routeOf(desk.urls.revocation),
    async answer(request) {
      const token = request.form.one('token');
      if (token === undefined) return { kind: 'error', error: 'invalid_request', why: 'token is missing' };
      return token.includes('.') ? await revokeAccess(desk, request, token) : await revokeRefresh(desk, request, token);
    },
  });
}

async function revokeAccess(desk: ServerDesk, request: ClientRequest, text: string): Promise<EndpointAnswer> {
  const token = await desk.tokens.read(text);
  if (token === undefined) return done;
  if (token.clientId !== request.known.client.id) return await notTheirs(desk, request, { jti: token.jti });
  const { issuer } = desk;
  const now = desk.world.clock.now();
  await issuer.database.write(async (session) => {
    await holdToken(session, issuer.engine, token.jti);
    if (!(await revokeToken(session, token, now))) return;
    const { jti, subject, audiences, scopes, expiresAt } = token;
    const what = { jti, subject, audiences, scopes, expiresAt };
    await issuer.audit.appendIn(session, entryOf(desk, request, 'revoked', what));
  });
  desk.counts.add('revocations', { kind: 'access_token' });
  return done;
}

async function revokeRefresh(desk: ServerDesk, request: ClientRequest, token: string): Promise<EndpointAnswer> {
  const { database, audit } = desk.issuer;
  const now = desk.world.clock.now();
  const answer = await database.write(async (session) => {
    const known = await familyOfToken(session, database, token);
    if (known === undefined) return done;
    const { family } = known;
    if (family.client !== request.known.client.id) return ofOthers;
    if (!(await revokeFamily(session, family.id, now))) return done;
    const { subject, audiences, scopes } = family;
    const reason = `family ${family.id} of refresh tokens`;
    await audit.appendIn(session, entryOf(desk, request, 'revoked', { subject, audiences, scopes, reason }));
    return done;
  });
  if (answer === ofOthers) return await notTheirs(desk, request, {});
  desk.counts.add('revocations', { kind: 'refresh_token' });
  return answer;
}

async function notTheirs(desk: ServerDesk, request: ClientRequest, what: Partial<AuditEntry>): Promise<EndpointAnswer> {
  const reason = 'it wanted to revoke a token of another client';
  await desk.issuer.audit.append(entryOf(desk, request, 'refused', { ...what, reason }));
  return ofOthers;
}
