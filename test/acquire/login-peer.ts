import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoginTerms } from '../../src/acquire/login-flow.ts';
import { epoch, type Millis, mono, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';

/** One answer of a scripted issuer; `cut` drops the connection instead. */
export type Scripted =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly json: unknown }
  | 'cut';

export interface ScriptedIssuer extends AsyncDisposable {
  readonly origin: string;
  /** The forms of all requests, in order, with the path they came to. */
  readonly asked: {
    readonly path: string;
    readonly form: URLSearchParams;
    readonly headers: IncomingMessage['headers'];
  }[];
}

/** An issuer on loopback that gives the next answer of a script for each path. */
export async function scriptedIssuer(script: Record<string, Scripted[]>): Promise<ScriptedIssuer> {
  const asked: ScriptedIssuer['asked'] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const part of request) body += part;
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    asked.push({ path, form: new URLSearchParams(body), headers: request.headers });
    const next = script[path]?.shift() ?? { status: 410, json: { error: 'script_over' } };
    if (next === 'cut') {
      request.socket.destroy();
      return;
    }
    response.writeHead(next.status ?? 200, { 'content-type': 'application/json', ...next.headers });
    response.end(typeof next.json === 'string' ? next.json : JSON.stringify(next.json));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The real world with a clock on which sleeping takes no time; it remembers how long each sleep was, in seconds. */
export function quickWorld(): World & { readonly slept: number[] } {
  const slept: number[] = [];
  let elapsed = 0;
  return {
    ...realWorld(),
    slept,
    clock: {
      now: () => epoch(1_800_000_000_000 + elapsed),
      monotonic: () => mono(elapsed),
      async sleep(length: Millis, signal?: AbortSignal) {
        signal?.throwIfAborted();
        slept.push(length / 1000);
        elapsed += length;
      },
    },
  };
}

export function termsFor(origin: string, changes: Partial<LoginTerms> = {}): LoginTerms {
  return {
    issuer: origin,
    tokenEndpoint: `${origin}/token`,
    clientId: 'a-client',
    auth: { kind: 'none' },
    scope: ['openid', 'offline_access'],
    audience: [],
    timeout: seconds(5),
    signal: new AbortController().signal,
    ...changes,
  };
}
