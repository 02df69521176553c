import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Millis } from '../token/time.ts';
import type { Random } from '../world/random.ts';
import { answerOf, type ErrorAnswer, errorBody } from './error-answer.ts';
import { type ListenPlace, listenFault } from './listen-place.ts';
import type { TlsPair } from './tls-files.ts';
import { dropIdentityHeaders, type TrustedProxies } from './trusted-proxies.ts';

export interface ServerOptions {
  readonly tls: TlsPair | undefined;
  readonly proxies: TrustedProxies;
  readonly random: Random;
  /** How people or clients are told that it does not go; as JSON unless told. */
  readonly refuse?: Refuse;
  /** Something that must not happen; the client was told `server_error` and nothing more. */
  readonly onFault: (thrown: unknown, request: { readonly id: string; readonly route: string }) => void;
}

export type Refuse = (reply: FastifyReply, answer: ErrorAnswer) => FastifyReply;

export const bodyLimit = 64 * 1024;

/** A client gets this long for its headers, for all of its request, between two requests of one connection, and to hear why it was cut off. */
const limits = {
  headers: 5_000,
  request: 10_000,
  idle: 30_000,
  farewell: 1_000,
  headerSize: 16 * 1024,
  connections: 4_096,
};

const common = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;
/** Half a year; said only where people reach us by https. */
const onlyHttps = { 'strict-transport-security': 'max-age=15552000' } as const;

/**
 * A fastify with limits, request ids, headers and errors as every program of ours wants them, and without any route. Bodies are
 * forms or nothing; whoever puts routes on it adds the parser.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { tls, proxies, refuse: turnAway = refuse } = options;
  const headers = tls !== undefined || proxies.some ? { ...common, ...onlyHttps } : common;
  const http = {
    headersTimeout: limits.headers,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.idle,
    maxHeaderSize: limits.headerSize,
    connectionsCheckingInterval: 1_000,
  };
  const app = fastify({
    // What begins no TLS would else hold a connection for two minutes.
    ...(tls === undefined ? { http } : { https: { ...http, ...tls, handshakeTimeout: limits.headers } }),
    bodyLimit,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.idle,
    genReqId: requestIds(options),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    // What still comes in on an open connection is answered, and the connection closed with it.
    return503OnClosing: false,
    exposeHeadRoutes: true,
    clientErrorHandler,
    // Before any hook.
    frameworkErrors: (error, _request, reply) => void turnAway(reply.headers(headers), answerOf(error)),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = limits.connections;
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    if (!proxies.has(request.raw.socket.remoteAddress)) dropIdentityHeaders(request.headers);
    else if (tls === undefined && inTheClear.test(String(request.headers['x-forwarded-proto']))) {
      return void turnAway(reply, insecure);
    }
    if (tls === undefined && proxies.some && !isNear(request, proxies)) return void turnAway(reply, insecure);
    done();
  });
  app.setErrorHandler((thrown, request, reply) => {
    const answer = answerOf(thrown);
    if (answer.status >= 500) options.onFault(thrown, { id: request.id, route: routeOf(request) });
    return turnAway(reply, answer);
  });
  app.setNotFoundHandler((_request, reply) => turnAway(reply, nothingHere));
  return app;
}

const nothingHere: ErrorAnswer = { status: 404, error: 'not_found', description: 'there is nothing here' };
const insecure: ErrorAnswer = { status: 403, error: 'invalid_request', description: 'this server is asked by https' };

/** One of the proxies was reached so, however it writes it. */
const inTheClear = /(^|,)\s*http\s*(,|$)/i;

/** Without TLS of our own we are spoken to by proxies of the list and by this machine. */
function isNear(request: FastifyRequest, proxies: TrustedProxies): boolean {
  const peer = request.raw.socket.remoteAddress;
  return proxies.has(peer) || peer === '127.0.0.1' || peer === '::1' || peer === '::ffff:127.0.0.1';
}

const routeOf = ({ method, routeOptions }: FastifyRequest): string => `${method} ${routeOptions.url ?? '(no route)'}`;

export function refuse(reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  if (answer.headers !== undefined) reply.headers(answer.headers);
  return reply.code(answer.status).header('content-type', 'application/json').send(errorBody(answer));
}

/** An id per request, for log and audit lines: that of a proxy of ours if it gave one, else one of our own. */
function requestIds({ proxies, random }: ServerOptions) {
  const start = random.id().slice(0, 10);
  let count = 0;
  return (request: { headers: Record<string, string | string[] | undefined>; socket: Socket }): string => {
    const given = request.headers['x-request-id'];
    const fits = typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given);
    if (fits && proxies.has(request.socket.remoteAddress)) return given;
    count += 1;
    return `${start}-${count.toString(36)}`;
  };
}

/** What is not HTTP, too slow or too long: answered on the bare socket, since there is no request. */
function clientErrorHandler(
  error: NodeJS.ErrnoException,
  socket: Socket & { readonly secureConnecting?: boolean },
): void {
  // Where TLS did not come about an answer would wait for it for ever, and the connection with it.
  const nobody = error.code === 'ECONNRESET' || socket.secureConnecting === true;
  if (nobody || socket.destroyed || !socket.writable) return void socket.destroy();
  const [line, description] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request took too long']
        : ['400 Bad Request', 'this is not a request'];
  const body = errorBody({ error: 'invalid_request', description });
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  // Whoever never closes its own side would keep ours.
  setTimeout(() => socket.destroy(), limits.farewell).unref();
}

/** Listens, and says where: port 0 lets the system choose. Throws Fault `config-invalid` when it cannot. */
export async function listen(app: FastifyInstance, place: ListenPlace): Promise<ListenPlace> {
  try {
    await app.listen(place);
  } catch (thrown) {
    throw listenFault(place, thrown);
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') return place;
  return { host: address.address, port: address.port };
}

/** Stops accepting, lets what is under way end within `grace`, and then cuts off what is left. */
export async function stop(app: FastifyInstance, grace: Millis): Promise<void> {
  const server = app.server as HttpServer;
  const timer = setTimeout(() => server.closeAllConnections(), grace);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
