import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { CertificateFiles } from './throw-away-ca.ts';

/** What the issuer does with one request to its token endpoint. */
export type Step = (response: ServerResponse, request: SeenRequest) => void;

export interface SeenRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
}

/** An ordinary answer, with whatever body; text goes out as it is. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Step {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (response) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}
/** A good token, opaque unless given, with changes to the answer. */
export const token = (changes: Readonly<Record<string, unknown>> = {}): Step =>
  json(200, { access_token: 'opaque-access-token', token_type: 'Bearer', expires_in: 3600, ...changes });
/** Reads the request, then resets the connection: it may have been done. */
export const resetBeforeAnswer: Step = (response) => (response.socket as { resetAndDestroy(): void }).resetAndDestroy();
/** The head of an answer, then nothing but the end of the connection. */
export const dropAfterHeaders: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '200' });
  response.flushHeaders();
  setImmediate(() => response.socket?.destroy());
};
/** Half of the announced body, then the end of the connection. */
export const dropInBody: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '200' });
  response.write('{"access_token":"half', () => response.socket?.destroy());
};
/** Never answers. */
export const silence: Step = () => {};
/** A byte now and then, for ever. */
export const slowDrip: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};
/** As much as is taken, without an end. */
export const neverEnding: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = ' '.repeat(64 * 1024);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};
export const hugeBody = (bytes: number): Step => json(200, { access_token: 'x'.repeat(bytes) });
/** A captive portal. */
export const html200: Step = (response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html><form>Log in to the network</form></html>');
export const redirect = (location: string, status = 302): Step => {
  return (response) => response.writeHead(status, { location }).end();
};
/** A gzip answer that nobody asked for. */
export const packed: Step = (response) =>
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(Buffer.alloc(64));

export interface HostileIssuer extends AsyncDisposable {
  readonly issuer: string;
  readonly tokenUrl: string;
  /** Requests to the token endpoint, in the order of their arrival. */
  readonly requests: readonly SeenRequest[];
  /** Requests for metadata. */
  readonly lookUps: readonly SeenRequest[];
  /** One step per request; what comes after the last one is answered with 599 and fails the test at `assertRequests`. */
  script(...steps: readonly Step[]): void;
  /** The same for every request that no step of a script is left for. */
  always(step: Step | undefined): void;
  /** What the metadata say, over the usual; or a step of its own for every look-up. */
  metadata(change: Readonly<Record<string, unknown>> | Step): void;
  assertRequests(count: number): void;
  stop(): Promise<void>;
}

/** A token endpoint in this process that does what it is told, and remembers what it was asked. */
export async function hostileIssuer(
  options: { readonly tls?: CertificateFiles; readonly path?: string } = {},
): Promise<HostileIssuer> {
  const path = options.path ?? '';
  const requests: SeenRequest[] = [];
  const lookUps: SeenRequest[] = [];
  let steps: Step[] = [];
  let fallback: Step | undefined;
  let look: Readonly<Record<string, unknown>> | Step = {};

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await read(request);
    if (!seen.path.includes('/.well-known/')) {
      requests.push(seen);
      (steps.shift() ?? fallback ?? json(599, { error: 'not_in_the_script' }))(response, seen);
      return;
    }
    lookUps.push(seen);
    if (typeof look === 'function') look(response, seen);
    else if (seen.path === `${path}/.well-known/openid-configuration`) {
      json(200, { issuer, token_endpoint: tokenUrl, ...look })(response, seen);
    } else json(404, { error: 'not_found' })(response, seen);
  }

  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(handle)
      : createSecureServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${port}${path}`;
  const tokenUrl = `${issuer}/token`;
  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  return {
    issuer,
    tokenUrl,
    requests,
    lookUps,
    script(...next) {
      steps = [...steps, ...next];
    },
    always(step) {
      fallback = step;
    },
    metadata(change) {
      look = change;
    },
    assertRequests(count) {
      assert.equal(requests.length, count, `the token endpoint saw ${requests.length} requests instead of ${count}`);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function read(request: IncomingMessage): Promise<SeenRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return {
    at: performance.now(),
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    form: new URLSearchParams(Buffer.concat(parts).toString()),
  };
}
