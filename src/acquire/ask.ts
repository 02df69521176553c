import { asFault } from '../fault/fault.ts';
import { decodeJwt } from '../token/jwt.ts';
import type { Secret } from '../token/secret.ts';
import { jsonOf, textOf } from './answer-json.ts';
import { audienceParameters, otherAudienceStyle, type Parameter, scopeParameters } from './audience-parameters.ts';
import { clientOf, forgetClient, type ReadyClient } from './client-of.ts';
import type { GrantContext, NoAnswer, RawAnswer, TokenRequest } from './grant.ts';
import { isFutile, learn, type Manners, mannersFor, noteFutile } from './manners.ts';
import { metadataCacheOf } from './metadata-cache.ts';
import { postToken } from './token-endpoint.ts';
import { learntOfEndpoint, type TokenEndpoint, tokenEndpointOf } from './token-endpoint-of.ts';

/** What one grant adds to what all of them have in common. */
export interface Question {
  readonly parameters: readonly Parameter[];
  /** Secrets among them. */
  readonly secrets: readonly Secret[];
  /** `credential`: goes over a connection of its own, and not again in another audience style. */
  readonly spends: 'nothing' | 'credential';
  readonly request: TokenRequest;
}

/**
 * Asks the issuer of an account for a token, in the manners that it is known or supposed to have. Where it refuses them, and
 * nothing can have been spent, the other manner is tried once, and what worked is in `learnt`.
 */
export async function askIssuer(context: GrantContext, question: Question): Promise<RawAnswer | NoAnswer> {
  const { world, account, record, secrets, signal } = context;
  const endpoint = await tokenEndpointOf(world, account, record, signal);
  if (endpoint.kind === 'none') return endpoint;
  let client: ReadyClient;
  try {
    client = await clientOf(world, account, record, secrets);
  } catch (thrown) {
    return { kind: 'none', sent: 'no', fault: asFault(thrown, `reading the client of account ${account.name}`) };
  }
  const manners = mannersFor(account, record, question.request);
  const answer = await post(context, question, { endpoint, client, manners });
  if (answer.kind === 'none') return answer;
  const judged = await inOtherManners(context, question, { endpoint, client, manners }, answer);
  const learnt = learntOfEndpoint(account, record, endpoint);
  if (judged.kind === 'none' || Object.keys(learnt).length === 0) return judged;
  return { ...judged, learnt: { ...judged.learnt, ...learnt } };
}

interface Route {
  readonly endpoint: TokenEndpoint;
  readonly client: ReadyClient;
  readonly manners: Manners;
}

async function post(context: GrantContext, question: Question, route: Route): Promise<RawAnswer | NoAnswer> {
  const { world, account, signal } = context;
  const { endpoint, client, manners } = route;
  const { request } = question;
  const form = new URLSearchParams();
  for (const [name, value] of question.parameters) form.append(name, value);
  const scope = request.scope.kind === 'blank' && manners.blankScope === 'absent' ? absent : request.scope;
  for (const [name, value] of scopeParameters(scope)) form.append(name, value);
  for (const [name, value] of audienceParameters(request.audience, manners.audience)) form.append(name, value);
  const { auth } = client;
  const encoding = auth.kind === 'client_secret_basic' ? (manners.clientAuth ?? auth.encoding) : undefined;
  const answer = await postToken(world, {
    url: endpoint.url,
    form,
    clientId: client.clientId,
    auth: encoding === undefined ? auth : ({ ...auth, encoding } as typeof auth),
    timeout: account.timeout,
    connection: question.spends === 'credential' ? 'fresh' : 'pooled',
    secrets: question.secrets,
    signal,
    ...(endpoint.issuer === undefined ? {} : { issuer: endpoint.issuer }),
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
  });
  if (answer.kind === 'raw' && answer.status !== 200) noteRefusal(context, endpoint, answer);
  return answer;
}

const absent = { kind: 'absent' } as const;

/** What was read before may have changed since: the next request reads the secret, or the metadata, again (scenario 30). */
function noteRefusal({ world, account }: GrantContext, endpoint: TokenEndpoint, answer: RawAnswer): void {
  if (textOf(answer, 'error') === 'invalid_client') forgetClient(account);
  const moved = answer.status === 404 || answer.status === 410;
  if (moved && endpoint.issuer !== undefined) metadataCacheOf(world).forget(endpoint.issuer, account.caFile);
}

/** At most one more request, and never after an answer that brought a credential. */
async function inOtherManners(
  context: GrantContext,
  question: Question,
  route: Route,
  answer: RawAnswer,
): Promise<RawAnswer | NoAnswer> {
  const other = otherManners(question, route.manners, answer);
  const { account, world } = context;
  const inStyle = other?.audience !== undefined;
  if (other === undefined || (inStyle && isFutile(account, question.request, world.clock.now()))) {
    return learn(account, answer, {});
  }
  const spending = question.spends === 'credential';
  // An audience style that a rotating issuer refused waits for the next attempt; a blank scope was refused before anything was spent.
  if (spending && inStyle) return learn(account, answer, other);
  const again = await post(context, question, { ...route, manners: { ...route.manners, ...other } });
  if (again.kind === 'none') return spending ? again : answer;
  const better = again.status === 200 && !forOthers(again, question.request);
  if (inStyle && !better && isMismatch(again, question.request))
    noteFutile(account, question.request, world.clock.now());
  return better || spending ? learn(account, again, better ? other : {}) : answer;
}

/** What to do differently, if the answer is about manners at all. */
function otherManners(question: Question, manners: Manners, answer: RawAnswer): Partial<Manners> | undefined {
  const { request } = question;
  const error = answer.status === 200 ? undefined : textOf(answer, 'error');
  if (jsonOf(answer)?.['refresh_token'] !== undefined) return undefined;
  if (error === 'invalid_scope' && request.scope.kind === 'blank' && manners.blankScope !== 'absent') {
    return { blankScope: 'absent' };
  }
  if (!manners.audienceIsGuess) return undefined;
  const style = otherAudienceStyle(request.audience, manners.audience);
  if (style === undefined) return undefined;
  return isMismatch(answer, request) ? { audience: style } : undefined;
}

/** Whether the audience, or the way it was asked for, is what the issuer did not take. */
function isMismatch(answer: RawAnswer, request: TokenRequest): boolean {
  const error = answer.status === 200 ? undefined : textOf(answer, 'error');
  return error === 'invalid_target' || error === 'invalid_request' || forOthers(answer, request);
}

/** Issuers pass over parameters they do not know (RFC 6749 section 3.2): the token then is for somebody else. */
function forOthers(answer: RawAnswer, request: TokenRequest): boolean {
  const token = answer.status === 200 ? textOf(answer, 'access_token') : undefined;
  const decoded = token === undefined ? undefined : decodeJwt(token);
  if (decoded?.kind !== 'jwt') return false;
  const { aud } = decoded.claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return !request.audience.audiences.every((one) => audiences.includes(one));
}
