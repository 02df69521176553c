import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;
type Reply = readonly [number, Json];

/** A vault token as the server keeps it; lengths in seconds. */
export interface VaultToken {
  ttl: number;
  readonly creationTtl: number;
  readonly period?: number;
  readonly renewable: boolean;
  /** Paths below `/v1/` it may read, as prefixes. */
  readonly paths: readonly string[];
  revoked?: boolean;
}

interface StoredSecret {
  /** How long the issuer's tokens live. */
  readonly life: number;
  accessToken: string;
  expiresAt: number;
  issued: number;
}

export interface VaultServer extends AsyncDisposable {
  readonly url: string;
  /** Method and target of every request, as they came. */
  readonly requests: readonly string[];
  readonly tokens: Map<string, VaultToken>;
  /** Puts a refresh token at `creds` path of htgettoken's engine (without `/v1/`). */
  store(path: string, life?: number): void;
  /** What refreshing at the issuer says instead of working. */
  refreshFault: string | undefined;
  /** Answers everything with this, as a sealed or overrun vault does. */
  down: { status: number; body: string; headers?: Record<string, string> } | undefined;
  /** Refuses look-ups, as a policy without the `tokenops` does. */
  noLookups: boolean;
  warnings: readonly string[] | undefined;
}

/**
 * A vault as far as tokens are read from it: the secrets engine of htvault-config (`secret/oauth/creds` and `…/sts`, with
 * `minimum_seconds`), `lookup-self` and `renew-self`, and Vault's way of saying no.
 */
export async function startVaultServer(): Promise<VaultServer> {
  const state = new VaultState();
  const server = createServer((request, response) => state.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

const denied: Reply = [403, { errors: ['permission denied'] }];

class VaultState {
  readonly requests: string[] = [];
  readonly tokens = new Map<string, VaultToken>();
  readonly #secrets = new Map<string, StoredSecret>();
  refreshFault: string | undefined;
  down: VaultServer['down'];
  noLookups = false;
  warnings: readonly string[] | undefined;

  store(path: string, life = 10_800): void {
    this.#secrets.set(path, { life, accessToken: '', expiresAt: 0, issued: 0 });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    this.requests.push(`${request.method} ${request.url}`);
    if (this.down !== undefined) {
      response.writeHead(this.down.status, { 'content-type': 'application/json', ...this.down.headers });
      response.end(this.down.body);
      return;
    }
    const [status, body] = this.#answer(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  #answer(request: IncomingMessage): Reply {
    const url = new URL(request.url ?? '/', 'http://vault.invalid');
    const token = this.tokens.get(String(request.headers['x-vault-token']));
    if (token === undefined || token.revoked || token.ttl < 0) return denied;
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, '');
    if (path === 'auth/token/lookup-self' && request.method === 'GET') return this.noLookups ? denied : lookup(token);
    if (path === 'auth/token/renew-self' && request.method === 'POST') return renew(token);
    if (request.method !== 'GET' || !token.paths.some((prefix) => path.startsWith(prefix))) return denied;
    return this.#read(path, url.searchParams);
  }

  #read(path: string, query: URLSearchParams): Reply {
    const secret = this.#secrets.get(path.replace('/sts/', '/creds/'));
    if (secret === undefined) return [404, { errors: [] }];
    const minimum = Math.max(Number(query.get('minimum_seconds') ?? 0), 10);
    if (secret.expiresAt - minimum * 1000 <= Date.now()) {
      if (this.refreshFault !== undefined) return [400, { errors: [this.refreshFault] }];
      secret.issued += 1;
      secret.accessToken = `at-${secret.issued}`;
      secret.expiresAt = Date.now() + secret.life * 1000;
      if (secret.life <= minimum) return [400, { errors: ['token expired'] }];
    }
    const exchanged = path.includes('/sts/');
    const access_token = exchanged ? `${secret.accessToken}-for-${query.get('scopes')}` : secret.accessToken;
    const expire_time = new Date(secret.expiresAt).toISOString();
    const data = { access_token, type: 'Bearer', expire_time, ...(exchanged ? {} : { server: 'demo' }) };
    return [200, { data, ...(this.warnings === undefined ? {} : { warnings: this.warnings }) }];
  }
}

function lookup(token: VaultToken): Reply {
  const { ttl, renewable, period, creationTtl } = token;
  const data = {
    ttl,
    renewable,
    creation_ttl: creationTtl,
    ...(period === undefined ? {} : { period }),
    policies: ['x'],
  };
  return [200, { data }];
}

/** A token with a period gets all of it back; another one at most what it was made with. */
function renew(token: VaultToken): Reply {
  if (!token.renewable) return [400, { errors: ['lease is not renewable'] }];
  token.ttl = token.period ?? token.creationTtl;
  return [200, { auth: { client_token: 'the same', lease_duration: token.ttl, renewable: true, policies: ['x'] } }];
}
