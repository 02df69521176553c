import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { Fault } from '../fault/fault.ts';
import { type Epoch, epoch } from '../token/time.ts';
import { connectionFault } from './connection-fault.ts';
import type { HttpAnswer, HttpNoAnswer, HttpRequest } from './http.ts';
import { whenAborted } from './when-aborted.ts';

/** Longest delay of a timer in Node; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** One request and its answer, within its time. Resolves whatever happens; throws only for what cannot be made a request. */
export function exchange(request: HttpRequest, agent: Agent, sentAt: Epoch): Promise<HttpAnswer | HttpNoAnswer> {
  const { promise, resolve } = Promise.withResolvers<HttpAnswer | HttpNoAnswer>();
  const { url, signal } = request;
  const outgoing = open(request, agent);
  let sent: HttpNoAnswer['sent'] = 'no';
  const end = (result: HttpAnswer | HttpNoAnswer) => {
    clearTimeout(timer);
    forgetSignal?.();
    resolve(result);
  };
  const fail = (thrown: unknown) => {
    end({ kind: 'no-answer', sent, sentAt, fault: connectionFault(thrown, url.origin) });
    outgoing.destroy();
  };
  const aborted = () => fail(new Fault('issuer-timeout', `the request to ${url.origin} was broken off on our side`));
  const timer = setTimeout(
    () => fail(new Fault('issuer-timeout', `${url.origin} gave no complete answer within ${request.timeout / 1000} s`)),
    Math.min(request.timeout, longestTimer),
  );
  const forgetSignal = signal === undefined ? undefined : whenAborted(signal, aborted);
  whenConnected(outgoing, () => {
    sent = 'perhaps';
  });
  outgoing.on('error', fail);
  outgoing.on('response', (incoming: IncomingMessage) => collect(incoming, request, sentAt, end, fail));
  if (signal?.aborted) aborted();
  else outgoing.end(request.body);
  return promise;
}

function open(request: HttpRequest, agent: Agent): ClientRequest {
  const { url } = request;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return send({
    method: request.method,
    // Without the brackets of an IPv6 address, which belong to URLs.
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === '' ? undefined : url.port,
    path: url.pathname + url.search,
    headers: headersOf(request),
    agent,
  });
}

/** From here on the server may have read the request. Before it, nothing of it has left, TLS included. */
function whenConnected(outgoing: ClientRequest, mark: () => void): void {
  outgoing.on('socket', (socket: Socket & { readonly secureConnecting?: boolean }) => {
    if (socket.connecting || socket.secureConnecting === true) {
      socket.once(socket.secureConnecting === undefined ? 'connect' : 'secureConnect', mark);
    } else mark();
  });
}

function headersOf(request: HttpRequest): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    accept: 'application/json',
    'user-agent': 'tokeep',
    'accept-encoding': 'identity',
    ...request.headers,
  };
  if (request.body !== undefined) headers['content-length'] = Buffer.byteLength(request.body);
  return headers;
}

function collect(
  incoming: IncomingMessage,
  request: HttpRequest,
  sentAt: Epoch,
  end: (answer: HttpAnswer) => void,
  fail: (thrown: unknown) => void,
): void {
  const encoding = incoming.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    const sentence = `${request.url.origin} answered in a packed form that was not asked for (content-encoding)`;
    fail(new Fault('issuer-nonsense', sentence));
    return;
  }
  const parts: Buffer[] = [];
  let size = 0;
  incoming.on('data', (part: Buffer) => {
    size += part.length;
    parts.push(part);
    if (size <= request.maxBytes) return;
    parts.length = 0;
    fail(new Fault('issuer-nonsense', `${request.url.origin} answered with more than ${request.maxBytes} bytes`));
  });
  incoming.on('error', fail);
  incoming.on('end', () => {
    const [only] = parts;
    end({
      kind: 'answer',
      status: incoming.statusCode ?? 0,
      headers: joined(incoming.headers),
      body: parts.length === 1 && only !== undefined ? only.toString() : Buffer.concat(parts, size).toString(),
      sentAt,
      receivedAt: epoch(Date.now()),
    });
  });
}

/** Only `set-cookie` comes as a list. */
function joined(headers: IncomingMessage['headers']): HttpAnswer['headers'] {
  const { 'set-cookie': cookies } = headers;
  return (cookies === undefined ? headers : { ...headers, 'set-cookie': cookies.join(', ') }) as HttpAnswer['headers'];
}
