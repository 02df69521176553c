import type { FastifyInstance } from 'fastify';
import { between, type Epoch } from '../token/time.ts';
import type { ClientGrant } from './client.ts';
import { entryOf } from './client-audit.ts';
import { addClientEndpoint } from './client-endpoint.ts';
import type { ClientRequest } from './client-request.ts';
import type { ServerDesk } from './server-desk.ts';
import { routeOf } from './server-urls.ts';
import { type GivenRefresh, type Issued, refusal, type TokenAnswer, type TokenGrant } from './token-grant.ts';

/** The token endpoint (RFC 6749 section 3.2): which grant is asked for, and may this client use it? Whatever is refused is noted here. */
export function addTokenEndpoint(
  app: FastifyInstance,
  desk: ServerDesk,
  grants: ReadonlyMap<string, TokenGrant>,
): void {
  addClientEndpoint(app, desk, {
    name: 'token',
    path: routeOf(desk.urls.token),
    async answer(request) {
      const answer = await answerOf(grants, request);
      if (answer.kind === 'refused') {
        const what = { ...answer.asked, reason: answer.forLog ?? answer.why };
        await desk.issuer.audit.append(entryOf(desk, request, 'refused', what));
        return { kind: 'error', error: answer.error, why: answer.why };
      }
      if (answer.kind === 'client-changed') return answer;
      const { jti, expiresAt } = answer.minted;
      desk.counts.add('tokens', { grant: answer.grant });
      desk.log.event('issuer-token-issued', { client: request.known.client.id, jti, expiresAt });
      return { kind: 'json', body: bodyOf(answer) };
    },
  });
}

type GrantAnswer = Exclude<TokenAnswer, Issued> | (Issued & { readonly grant: ClientGrant });

async function answerOf(grants: ReadonlyMap<string, TokenGrant>, request: ClientRequest): Promise<GrantAnswer> {
  const type = request.form.one('grant_type');
  if (type === undefined) return refusal('invalid_request', 'grant_type is missing');
  const grant = grants.get(type);
  if (grant === undefined) return refusal('unsupported_grant_type', 'this grant does not exist here');
  const { needs } = grant;
  if (!request.known.client.grants.includes(needs)) {
    return refusal('unauthorized_client', `this client is not registered for the grant ${needs}`);
  }
  const answer = await grant.answer(request);
  return answer.kind === 'issued' ? { ...answer, grant: needs } : answer;
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
