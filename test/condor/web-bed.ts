import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatRequestFile, type LoginRequest } from '../../src/condor/request-file.ts';
import type { LocalProvider, OAuth2Provider, WebSettings } from '../../src/condor/settings.ts';
import { PinTable } from '../../src/condor/web/pin-table.ts';
import { createWebServer } from '../../src/condor/web/server.ts';
import { openWebDatabase } from '../../src/condor/web/web-schema.ts';
import { createLogger } from '../../src/observe/log.ts';
import type { Rate } from '../../src/serve/rate-limit.ts';
import { listen, stop } from '../../src/serve/server.ts';
import { Secret } from '../../src/token/secret.ts';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import type { KnownClient } from '../peers/issuer-config.ts';
import { startIssuer } from '../peers/start-issuer.ts';
import { type ThrowAwayCa, throwAwayCa } from '../peers/throw-away-ca.ts';

export interface WebBedOptions {
  readonly world?: Partial<World>;
  readonly web?: Partial<WebSettings>;
  readonly provider?: Partial<OAuth2Provider>;
  readonly local?: LocalProvider;
  /** Before the server is made, when it is known where it will be. */
  readonly settle?: (place: { readonly prefix: string; readonly directory: string }) => Promise<void>;
  /** Below the address it listens on. */
  readonly path?: string;
  /** As for people in `usual`; without a limit that counts unless told. */
  readonly rate?: Rate | 'usual';
  /** Plain, as behind a proxy. */
  readonly tls?: 'none';
}

const generous = { perSecond: 100_000, burst: 100_000 };

/** The web login on a port of this machine, over a credential directory of its own; all of it is gone when it is disposed of. */
export async function webBed(options: WebBedOptions = {}) {
  const world: World = { ...realWorld(), ...options.world };
  const root = await mkdtemp(join(tmpdir(), 'web-login-'));
  const directory = join(root, 'oauth_credentials');
  await mkdir(directory);
  await chmod(directory, 0o2770);
  const ca: ThrowAwayCa | undefined = options.tls === 'none' ? undefined : await throwAwayCa();
  const files = await ca?.certificate();
  const port = await freePort();
  const origin = `${ca === undefined ? 'http' : 'https'}://localhost:${port}`;
  const prefix = `${origin}${options.path ?? ''}`;
  await options.settle?.({ prefix, directory });
  const web: WebSettings = {
    prefix,
    listen: `127.0.0.1:${port}`,
    trustedProxies: [],
    login: { kind: 'none' },
    user: 'condor',
    state: join(root, 'state'),
    host: 'ap.example.org',
    ...options.web,
  };
  const database = await openWebDatabase(world, web.state);
  const lines: string[] = [];
  const log = createLogger({
    format: 'plain',
    threshold: 'debug',
    clock: world.clock,
    write: (line) => void lines.push(line),
  });
  const app = await createWebServer({
    world,
    settings: {
      directory,
      specialNames: false,
      web,
      localProviders: options.local === undefined ? [] : [options.local.provider],
      local: (provider) => (provider === options.local?.provider ? options.local : undefined),
      oauth2: (provider) => ({ provider, clientId: 'c', tokenUrl: 't', ...options.provider }),
    },
    database,
    log,
    ...(options.rate === 'usual' ? {} : { rate: options.rate ?? generous }),
    ...(files === undefined
      ? {}
      : { tls: { cert: await readFile(files.certFile, 'utf8'), key: await readFile(files.keyFile, 'utf8') } }),
    open: () => true,
  });
  await listen(app, { host: '127.0.0.1', port });
  return {
    app,
    prefix,
    origin,
    port,
    directory,
    world,
    log: lines,
    caFile: ca?.caFile,
    database,
    pins: new PinTable(database, world.clock),
    /** As condor_credd does when a `.top` is missing; returns the link that condor_submit prints. */
    async ask(requests: readonly LoginRequest[]): Promise<{ readonly key: string; readonly link: string }> {
      const key = randomBytes(32).toString('hex');
      await writeFile(join(directory, key), formatRequestFile(requests), { mode: 0o640 });
      return { key, link: `${prefix}/key/${key}` };
    },
    async [Symbol.asyncDispose]() {
      await stop(app, seconds(1));
      await database.close();
      await ca?.remove();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export type WebBed = Awaited<ReturnType<typeof webBed>>;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const clientSecret = 'condor-secret-0123456789abcdefghijklmnopqrst';

/** An issuer that nobody here wrote, which knows the access point as a client. */
export async function issuerFor(bed: WebBed, providers: readonly string[], more: Partial<KnownClient> = {}) {
  const client: KnownClient = {
    client_id: 'condor.test',
    client_secret: clientSecret,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [...providers.map((one) => `${bed.prefix}/return/${one}`), `${bed.prefix}/signed-in`],
    response_types: ['code'],
    ...more,
  };
  return await startIssuer({ clients: [client] });
}

/** What condor_credd asks for, for a provider at an issuer. */
export function loginRequest(
  bed: Pick<WebBed, 'prefix'>,
  issuer: string,
  provider: string,
  more: Partial<LoginRequest> = {},
): LoginRequest {
  return {
    provider,
    scopes: 'openid, offline_access, storage.read:/',
    audience: 'https://storage.example',
    clientId: 'condor.test',
    clientSecret: new Secret('client_secret', clientSecret),
    authorizationUrl: `${issuer}/auth`,
    tokenUrl: `${issuer}/token`,
    returnUrl: `${bed.prefix}/return/${provider}`,
    localUser: 'alice',
    ...more,
  };
}
