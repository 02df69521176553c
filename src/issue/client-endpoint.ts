import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorAnswer } from '../serve/error-answer.ts';
import type { Form, FormAnswer } from '../serve/form.ts';
import { refuse } from '../serve/server.ts';
import { limitedAs } from '../serve/trusted-proxies.ts';
import type { Millis } from '../token/time.ts';
import { isClientId } from './client.ts';
import { type Authentication, authenticate, type ClientDesk } from './client-auth.ts';
import type { KnownClient } from './client-directory.ts';
import type { ClientRequest } from './client-request.ts';
import type { ServerDesk } from './server-desk.ts';

export type EndpointAnswer =
  | { readonly kind: 'json'; readonly body: object }
  | { readonly kind: 'empty' }
  | { readonly kind: 'error'; readonly error: string; readonly why: string }
  | { readonly kind: 'client-changed' };

interface Endpoint {
  readonly name: 'token' | 'introspection' | 'revocation';
  readonly path: string;
  answer(request: ClientRequest): Promise<EndpointAnswer>;
}

/** One sentence for every reason, so that nobody learns which clients there are (ISS-14). */
const unknownClient: ErrorAnswer = {
  status: 401,
  error: 'invalid_client',
  description: 'the client is not known here, or did not prove that it is the one',
};
/** Said to those who came with an Authorization header (RFC 6749 section 5.2); others could not make anything of it. */
const challenge = { 'www-authenticate': 'Basic realm="tokeep", charset="UTF-8"' } as const;

function notKnown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = request.headers.authorization !== undefined;
  return refuse(reply, asked ? { ...unknownClient, headers: challenge } : unknownClient);
}

const onlyPost: ErrorAnswer = {
  status: 405,
  error: 'invalid_request',
  description: 'this endpoint is asked by POST',
  headers: { allow: 'POST' },
};

/** An endpoint for clients: POST, a form, who asks, how often; what it is about is up to `answer`. */
export function addClientEndpoint(app: FastifyInstance, desk: ServerDesk, endpoint: Endpoint): void {
  app.post(endpoint.path, async (request, reply) => {
    const address = desk.proxies.clientAddress(request.raw.socket.remoteAddress, request.headers['x-forwarded-for']);
    const early = desk.limits.address.take(limitedAs(address));
    if (early !== undefined) return tooMany(desk, reply, 'address', early);
    const read = request.body as FormAnswer | undefined;
    if (read?.kind !== 'form') {
      return refused(desk, reply, endpoint, 'invalid_request', read?.why ?? 'the request has no body');
    }
    return await answerClient(desk, endpoint, { request, reply, form: read.form, address });
  });
  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: endpoint.path,
    handler: (_request, reply) => refuse(reply, onlyPost),
  });
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly form: Form;
  readonly address: string;
}

async function answerClient(desk: ServerDesk, endpoint: Endpoint, asked: Asked): Promise<FastifyReply> {
  const { request, reply, form, address } = asked;
  const { authorization } = request.headers;
  const who = await authenticate(clientDesk(desk), authorization, form);
  if (who.kind === 'unclear') return refused(desk, reply, endpoint, 'invalid_request', who.why);
  if (who.kind === 'refused') return await notThatClient(desk, asked, who);
  const early = desk.limits.client.take(who.known.client.id);
  if (early !== undefined) return tooMany(desk, reply, 'client', early);
  const mine = { form, address, requestId: request.id };
  const answer = await endpoint.answer({ ...mine, known: who.known });
  if (answer.kind !== 'client-changed') return send(desk, reply, endpoint, answer);
  const anew = await again(desk, authorization, form, who.known);
  if (anew === undefined) return notKnown(request, reply);
  const second = await endpoint.answer({ ...mine, known: anew });
  return second.kind === 'client-changed' ? notKnown(request, reply) : send(desk, reply, endpoint, second);
}

/** The client was changed since we looked: it is looked at anew. An assertion is used up, so that its key has to be the same. */
async function again(
  desk: ServerDesk,
  authorization: string | undefined,
  form: Form,
  before: KnownClient,
): Promise<KnownClient | undefined> {
  const known = await desk.directory.look(before.client.id);
  if (known === undefined) return undefined;
  if (JSON.stringify(known.client.proof) === JSON.stringify(before.client.proof)) return known;
  if (known.client.proof.kind !== 'secret') return undefined;
  const who = await authenticate(clientDesk(desk), authorization, form);
  return who.kind === 'client' ? who.known : undefined;
}

const clientDesk = ({ directory, issuer, world, urls }: ServerDesk): ClientDesk => ({
  directory,
  database: issuer.database,
  clock: world.clock,
  audiences: [urls.issuer, urls.token],
});

/** Told in the log, not in the audit log: whoever is nobody here must not be able to fill it. A replay is told in both. */
async function notThatClient(
  desk: ServerDesk,
  { request, reply, address }: Asked,
  who: Extract<Authentication, { kind: 'refused' }>,
): Promise<FastifyReply> {
  desk.counts.add('clients_refused', { reason: who.replayed ? 'replayed' : 'unknown_or_wrong' });
  if (desk.limits.told.take(limitedAs(address)) === undefined) {
    // Who swaps id and secret sends the secret here.
    const client = who.claimed !== undefined && isClientId(who.claimed) ? who.claimed.slice(0, 100) : undefined;
    desk.log.event('issuer-client-refused', { client, address, reason: who.why, request: request.id });
  }
  if (who.replayed) {
    await desk.issuer.audit.append({
      at: desk.world.clock.now(),
      event: 'replayed',
      by: `client ${who.claimed}`,
      deliveredTo: [address],
      requestId: request.id,
      reason: who.why,
    });
  }
  return notKnown(request, reply);
}

function tooMany(desk: ServerDesk, reply: FastifyReply, by: 'client' | 'address', wait: Millis): FastifyReply {
  desk.counts.add('rate_limited', { by });
  return refuse(reply, {
    status: 429,
    error: 'temporarily_unavailable',
    description: 'too many requests; come back later',
    headers: { 'retry-after': String(Math.ceil(wait / 1000)) },
  });
}

function refused(desk: ServerDesk, reply: FastifyReply, { name }: Endpoint, error: string, why: string): FastifyReply {
  desk.counts.add('refusals', { endpoint: name, error });
  return refuse(reply, { status: 400, error, description: why });
}

function send(
  desk: ServerDesk,
  reply: FastifyReply,
  endpoint: Endpoint,
  answer: Exclude<EndpointAnswer, { kind: 'client-changed' }>,
): FastifyReply {
  if (answer.kind === 'error') return refused(desk, reply, endpoint, answer.error, answer.why);
  if (answer.kind === 'empty') return reply.code(200).send();
  return reply.header('content-type', 'application/json').send(JSON.stringify(answer.body));
}
