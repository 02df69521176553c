import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Fault } from '../fault/fault.ts';
import { epoch } from '../token/time.ts';
import { connectionFault } from './connection-fault.ts';
import type { Http, HttpAnswer, HttpNoAnswer, HttpRequest } from './http.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** How long an unused connection is kept; well below what servers keep, so that we close first. */
const idleConnection = 3_000;

type Env = Readonly<Record<string, string | undefined>>;

/** The real {@link Http}, on node:http: about twice as fast as fetch here, and nothing below it repeats or follows anything. */
export function realHttp(env: Env): Http {
  const agents = new Map<string, Promise<HttpsAgent>>();
  const proxyEnv = env as NodeJS.ProcessEnv;
  const plain = new HttpAgent({ keepAlive: true, timeout: idleConnection, maxFreeSockets: 64, proxyEnv });

  async function makeAgent(caFile: string | undefined, keepAlive: boolean): Promise<HttpsAgent> {
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
    return new HttpsAgent({ keepAlive, timeout: idleConnection, maxFreeSockets: 64, proxyEnv, ...ca });
  }
  function secureAgent(request: HttpRequest): Promise<HttpsAgent> {
    if (request.connection === 'fresh') return makeAgent(request.caFile, false);
    const key = request.caFile ?? '';
    const known = agents.get(key);
    if (known !== undefined) return known;
    const made = makeAgent(request.caFile, true);
    agents.set(key, made);
    made.catch(() => agents.delete(key));
    return made;
  }
  async function agentFor(request: HttpRequest): Promise<RequestOptions['agent']> {
    if (request.url.protocol === 'https:') return await secureAgent(request);
    return request.connection === 'fresh' ? new HttpAgent({ keepAlive: false, proxyEnv }) : plain;
  }

  return {
    async send(request) {
      const sentAt = epoch(Date.now());
      const { url } = request;
      const refused = (fault: Fault): HttpNoAnswer => ({ kind: 'no-answer', sent: 'no', sentAt, fault });
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.test(url.hostname))) {
        return refused(
          new Fault(
            'issuer-unreachable',
            `not sent to ${url.origin}: tokens travel over https only (plain http to loopback)`,
          ),
        );
      }
      try {
        return await exchange(request, await agentFor(request), sentAt);
      } catch (thrown) {
        const what = request.caFile === undefined ? url.origin : `${url.origin} with the CA file ${request.caFile}`;
        return refused(connectionFault(thrown, what));
      }
    },
    async close() {
      plain.destroy();
      for (const agent of agents.values()) (await agent).destroy();
      agents.clear();
    },
  };
}

function exchange(
  request: HttpRequest,
  agent: RequestOptions['agent'],
  sentAt: HttpAnswer['sentAt'],
): Promise<HttpAnswer | HttpNoAnswer> {
  const { promise, resolve } = Promise.withResolvers<HttpAnswer | HttpNoAnswer>();
  const { url } = request;
  let sent: HttpNoAnswer['sent'] = 'no';
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const outgoing = send(url, { method: request.method, agent, headers: headersOf(request) });
  const end = (result: HttpAnswer | HttpNoAnswer) => {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', aborted);
    resolve(result);
  };
  const fail = (thrown: unknown) => {
    end({ kind: 'no-answer', sent, sentAt, fault: connectionFault(thrown, url.origin) });
    outgoing.destroy();
  };
  const timeout = () =>
    fail(new Fault('issuer-timeout', `${url.origin} gave no complete answer within ${request.timeout / 1000} s`));
  const timer = setTimeout(timeout, request.timeout);
  const aborted = () => fail(new Fault('issuer-timeout', `the request to ${url.origin} was broken off on our side`));
  request.signal?.addEventListener('abort', aborted, { once: true });
  outgoing.on('socket', (socket) => {
    const mark = () => {
      sent = 'perhaps';
    };
    if (!socket.connecting) mark();
    else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', mark);
  });
  outgoing.on('error', fail);
  outgoing.on('response', (incoming) => collect(incoming, request, sentAt).then(end, fail));
  if (request.signal?.aborted) aborted();
  outgoing.end(request.body);
  return promise;
}

function headersOf(request: HttpRequest): Record<string, string | number> {
  const length = request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) };
  return {
    accept: 'application/json',
    'user-agent': 'tokeep',
    'accept-encoding': 'identity',
    ...request.headers,
    ...length,
  };
}

async function collect(
  incoming: IncomingMessage,
  request: HttpRequest,
  sentAt: HttpAnswer['sentAt'],
): Promise<HttpAnswer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > request.maxBytes) {
      incoming.destroy();
      throw new Fault('issuer-nonsense', `${request.url.origin} answered with more than ${request.maxBytes} bytes`);
    }
    parts.push(part);
  }
  return {
    kind: 'answer',
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([k, v]) => [k, Array.isArray(v) ? v.join(', ') : v]),
    ),
    body: Buffer.concat(parts).toString('utf8'),
    sentAt,
    receivedAt: epoch(Date.now()),
  };
}
