import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientAdmin, type NewClient } from '../../src/issue/client-admin.ts';
import { createIssuerServer, type IssuerServerOptions } from '../../src/issue/server.ts';
import { createIssuer } from '../../src/mint/create-issuer.ts';
import type { IssuerPolicy } from '../../src/mint/policy.ts';
import type { NewSettings } from '../../src/mint/settings-text.ts';
import { silentLogger } from '../../src/observe/log.ts';
import { listen, stop } from '../../src/serve/server.ts';
import { TrustedProxies } from '../../src/serve/trusted-proxies.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { hours, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';

export interface BedOptions {
  readonly world?: World;
  /** Below the address the server will listen on. */
  readonly path?: string;
  /** In place of the address it listens on. */
  readonly url?: string;
  readonly policy?: Partial<IssuerPolicy>;
  readonly settings?: Partial<NewSettings>;
  readonly server?: Partial<IssuerServerOptions>;
  readonly proxies?: readonly string[];
  readonly chain?: string;
  /** The file of the sealing key, where nodes share one. */
  readonly sealKey?: string;
  /** `none` for a further node of an issuer that has its keys. */
  readonly algorithm?: 'ES256' | 'none';
}

export const openPolicy: IssuerPolicy = {
  scopes: ['storage.read:/', 'storage.modify:/data', 'compute.read', 'offline_access'],
  audiences: ['https://*.example.org', 'https://*.example.org:*'],
  everyone: true,
  subjects: ['*'],
  groups: [],
  claims: [],
  lifetime: { usual: hours(1), most: hours(6) },
  suspended: [],
};

export const robot: NewClient = {
  name: 'robot',
  grants: ['client_credentials'],
  scopes: ['storage.read:/', 'storage.modify:/data'],
  audiences: ['https://se.example.org'],
  everyone: false,
  serves: [],
};

const generous = { perSecond: 1_000_000, burst: 1_000_000 };

/** A server on a port of this machine, with an issuer in a directory of its own; both are gone when it is disposed of. */
export async function serverBed(options: BedOptions = {}) {
  const world = options.world ?? realWorld();
  const directory = await mkdtemp(join(tmpdir(), 'tokeep-issuer-server-'));
  const port = await freePort();
  const scheme = options.server?.tls === undefined ? 'http' : 'https';
  const origin = `${scheme}://localhost:${port}`;
  const url = (options.url ?? `https://localhost:${port}${options.path ?? ''}`) as IssuerUrl;
  const sealKey = options.sealKey ?? join(directory, 'seal.key');
  const sealer = await openSealer(world, { keyFile: sealKey });
  const issuer = await createIssuer(
    world,
    join(directory, 'issuer'),
    {
      url,
      profile: 'wlcg',
      policy: { ...openPolicy, ...options.policy },
      keys: 'sealed',
      store: { kind: 'sqlite' },
      algorithm: options.algorithm ?? 'ES256',
      by: 'test',
      ...options.settings,
    },
    { sealer: async () => sealer, chain: options.chain ?? 'local' },
  );
  const server = await createIssuerServer({
    world,
    issuer,
    log: silentLogger,
    proxies: new TrustedProxies(options.proxies ?? []),
    limits: { client: generous, address: generous },
    open: () => true,
    ...options.server,
  });
  await listen(server.app, { host: '127.0.0.1', port });
  const admin = await ClientAdmin.open({ world, issuer, by: 'admin test' });
  const base = new URL(url).pathname.replace(/\/+$/, '');
  return {
    directory,
    origin,
    url,
    issuer,
    server,
    admin,
    sealKey,
    /** The address of an endpoint, such as `/token`. */
    at: (path: string) => `${origin}${base}${path}`,
    async client(changes: Partial<NewClient> = {}) {
      const { client, secret } = await admin.add({ ...robot, ...changes });
      return { id: client.id, secret: secret?.reveal() ?? '' };
    },
    async [Symbol.asyncDispose]() {
      await stop(server.app, seconds(1));
      await issuer.close();
      await rm(directory, { recursive: true });
    },
  };
}

export type ServerBed = Awaited<ReturnType<typeof serverBed>>;

/** The issuer's URL has the port in it, before anything listens there. */
async function freePort(): Promise<number> {
  const socket = createSocket();
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = socket.address();
  const closed = Promise.withResolvers<void>();
  socket.close(() => closed.resolve());
  await closed.promise;
  if (address === null || typeof address === 'string') throw new Error('no port');
  return unfetchable.has(address.port) ? await freePort() : address.port;
}

/** Ports that fetch refuses to ask (WHATWG Fetch, "bad port"), of those that anybody may be given. */
const unfetchable: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

/** A form POST, as a client would send it. */
export async function post(
  url: string,
  form: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
