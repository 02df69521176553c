import type { FastifyInstance } from 'fastify';
import { between, type Epoch } from '../token/time.ts';
import { addClientEndpoint, type EndpointAnswer } from './client-endpoint.ts';
import type { ClientRequest } from './client-request.ts';
import type { ServerDesk } from './server-desk.ts';
import { pathOf } from './server-urls.ts';
import type { GivenRefresh, Issued, TokenAnswer, TokenGrant } from './token-grant.ts';

/** The token endpoint (RFC 6749 section 3.2): which grant is asked for, and may this client use it? */
export function addTokenEndpoint(
  app: FastifyInstance,
  desk: ServerDesk,
  grants: ReadonlyMap<string, TokenGrant>,
): void {
  addClientEndpoint(app, desk, {
    name: 'token',
    path: pathOf(desk.urls.token),
    async answer(request) {
      const type = request.form.one('grant_type');
      if (type === undefined) return error('invalid_request', 'grant_type is missing');
      const grant = grants.get(type);
      if (grant === undefined) return error('unsupported_grant_type', 'this grant does not exist here');
      if (!request.known.client.grants.includes(grant.needs)) {
        return error('unauthorized_client', `this client is not registered for the grant ${grant.needs}`);
      }
      return answerOf(desk, grant, await grant.answer(request), request);
    },
  });
}

const error = (word: string, why: string): EndpointAnswer => ({ kind: 'error', error: word, why });

function answerOf(
  desk: ServerDesk,
  { needs }: TokenGrant,
  answer: TokenAnswer,
  { known }: ClientRequest,
): EndpointAnswer {
  switch (answer.kind) {
    case 'client-changed':
      return answer;
    case 'refused':
      return error(answer.error, answer.why);
    case 'issued':
      desk.counts.add('tokens', { grant: needs });
      desk.log.event('issuer-token-issued', {
        client: known.client.id,
        jti: answer.minted.jti,
        expiresAt: answer.minted.expiresAt,
      });
      return { kind: 'json', body: bodyOf(answer) };
  }
}

/** RFC 6749 section 5.1. The granted scope is always said, also where it is what was asked for. */
function bodyOf({ minted, refresh, issuedTokenType }: Issued): object {
  return {
    access_token: minted.token.reveal(),
    token_type: 'Bearer',
    expires_in: Math.floor((minted.expiresAt - minted.issuedAt) / 1000),
    scope: minted.scopes.join(' '),
    ...(refresh === undefined ? {} : refreshOf(refresh, minted.issuedAt)),
    ...(issuedTokenType === undefined ? {} : { issued_token_type: issuedTokenType }),
  };
}

/** `refresh_expires_in` is no standard; clients that look for it need not guess when a person has to log in again. */
const refreshOf = ({ token, endsAt }: GivenRefresh, now: Epoch): object => ({
  refresh_token: token.reveal(),
  refresh_expires_in: Math.floor(between(now, endsAt) / 1000),
});
