import type { FastifyInstance } from 'fastify';
import { exit } from '../fault/codes.ts';
import { asFault } from '../fault/fault.ts';
import type { OpenIssuer } from '../mint/issuer.ts';
import type { Logger } from '../observe/log.ts';
import { readForm } from '../serve/form.ts';
import { addHealth } from '../serve/health.ts';
import { type Rate, RateLimit } from '../serve/rate-limit.ts';
import { createServer } from '../serve/server.ts';
import type { TlsPair } from '../serve/tls-files.ts';
import type { TrustedProxies } from '../serve/trusted-proxies.ts';
import type { World } from '../world/world.ts';
import { ClientDirectory } from './client-directory.ts';
import { ClientTable } from './client-table.ts';
import { addDiscovery } from './discovery-routes.ts';
import { addIntrospection } from './introspection.ts';
import { OwnTokens } from './own-tokens.ts';
import { Readiness } from './readiness.ts';
import { addRevocation } from './revocation.ts';
import { ServerCounts } from './server-counts.ts';
import type { ServerDesk } from './server-desk.ts';
import { prepareServerSchema } from './server-schema.ts';
import { serverUrls } from './server-urls.ts';
import { SignTogether } from './sign-together.ts';
import { addTokenEndpoint } from './token-endpoint.ts';
import { tokenGrants } from './token-grants.ts';

export interface IssuerServerOptions {
  readonly world: Pick<World, 'clock' | 'random'>;
  readonly issuer: OpenIssuer;
  readonly log: Logger;
  readonly tls?: TlsPair;
  readonly proxies: TrustedProxies;
  readonly limits: { readonly client: Rate; readonly address: Rate };
  /** Are requests still taken: not while it stops. */
  readonly open: () => boolean;
}

export interface IssuerServer {
  readonly app: FastifyInstance;
  readonly counts: ServerCounts;
  readonly readiness: Readiness;
}

/** The server of an issuer, with every route and not listening yet. Makes its tables where they are missing. */
export async function createIssuerServer(options: IssuerServerOptions): Promise<IssuerServer> {
  const { world, issuer, log, proxies, tls, limits } = options;
  await prepareServerSchema(issuer.database);
  const counts = new ServerCounts();
  const clients = new ClientTable(issuer.database);
  const desk: ServerDesk = {
    world,
    issuer,
    urls: serverUrls(issuer.settings.url),
    clients,
    directory: new ClientDirectory(clients, world.clock),
    tokens: new OwnTokens(issuer, world.clock),
    together: new SignTogether(issuer, clients),
    proxies,
    limits: {
      client: new RateLimit(limits.client, world.clock),
      address: new RateLimit(limits.address, world.clock),
      told: new RateLimit({ perSecond: 1, burst: 30 }, world.clock),
    },
    counts,
    log,
  };
  const app = createServer({
    tls,
    proxies,
    random: world.random,
    onFault(thrown, { id, route }) {
      counts.add('faults', {});
      const fault = asFault(thrown, 'answering');
      // What passes by itself hits every request until it has: a database that is away must not fill the log.
      if (fault.exit === exit.temporary && desk.limits.told.take(route) !== undefined) return;
      log.event('unexpected-fault', { doing: `${route} (request ${id})`, reason: fault.message });
    },
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, readForm(String(body))),
  );
  const grants = tokenGrants(desk);
  addDiscovery(app, desk, grants);
  addTokenEndpoint(app, desk, grants);
  addIntrospection(app, desk);
  addRevocation(app, desk);
  const readiness = await Readiness.start({ issuer, clock: world.clock, log, open: options.open });
  addHealth(app, { ready: () => readiness.ready() });
  return { app, counts, readiness };
}
