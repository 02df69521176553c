import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { exit } from '../../fault/codes.ts';
import { asFault } from '../../fault/fault.ts';
import type { Logger } from '../../observe/log.ts';
import type { ErrorAnswer } from '../../serve/error-answer.ts';
import { readForm } from '../../serve/form.ts';
import { addHealth } from '../../serve/health.ts';
import { type Rate, RateLimit } from '../../serve/rate-limit.ts';
import { createServer } from '../../serve/server.ts';
import type { TlsPair } from '../../serve/tls-files.ts';
import { limitedAs, type Peers, TrustedProxies } from '../../serve/trusted-proxies.ts';
import type { Database } from '../../store/database.ts';
import type { World } from '../../world/world.ts';
import type { CredmonSettings } from '../settings.ts';
import { AttemptTable } from './attempt-table.ts';
import type { WebDesk } from './desk.ts';
import { addKeyRoutes } from './key-routes.ts';
import { addLoginRoutes } from './login-routes.ts';
import { iconPath, sendPage, stylesheetPath } from './page.ts';
import { PinTable } from './pin-table.ts';
import { FormTokens, isSameOrigin } from './post-guard.ts';
import { addPublicKeys } from './public-key-routes.ts';
import { refusalPage } from './refusal-page.ts';
import { isRefusalName, type RefusalName } from './refusals.ts';
import { SessionTable } from './session-table.ts';
import { addSignInRoutes } from './sign-in-routes.ts';
import { icon, stylesheet } from './stylesheet.ts';
import { Visit } from './visit.ts';
import { formKey } from './web-schema.ts';

export interface WebServerOptions {
  readonly world: World;
  readonly settings: Pick<
    CredmonSettings,
    'directory' | 'specialNames' | 'oauth2' | 'web' | 'local' | 'localProviders'
  >;
  /** As {@link openWebDatabase} opens it; closed by who opened it. */
  readonly database: Database;
  readonly log: Logger;
  readonly tls?: TlsPair;
  /** Where it will listen; on the network unless told. */
  readonly peers?: Peers;
  /** For each address; what a room of people needs unless told. */
  readonly rate?: Rate;
  /** Are requests still taken: not while it stops. */
  readonly open: () => boolean;
}

/** A room full of people behind one address logs in at the same time, and their pages look again every other second. */
const people: Rate = { perSecond: 30, burst: 600 };

/** The web login with every route, not listening yet. */
export async function createWebServer(options: WebServerOptions): Promise<FastifyInstance> {
  const desk = await deskOf(options);
  const { world, log } = options;
  const told = new RateLimit({ perSecond: 1, burst: 30 }, world.clock);
  const app = createServer({
    tls: options.tls,
    proxies: desk.proxies,
    random: world.random,
    refuse: (reply, answer) => turnAway(reply, desk.base, answer),
    onFault(thrown, { id, route }) {
      const fault = asFault(thrown, 'answering');
      if (fault.exit === exit.temporary && told.take(route) !== undefined) return;
      log.event('unexpected-fault', { doing: `${route} (request ${id})`, reason: fault.message });
    },
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, readForm(String(body))),
  );
  await app.register(cookie);
  guard(app, desk, new RateLimit(options.rate ?? people, world.clock));
  addHealth(app, { ready: async () => options.open() });
  await app.register(async (below) => addRoutes(below, desk), { prefix: desk.base });
  addPublicKeys(app, world, options.settings);
  return app;
}

async function deskOf({ world, settings, database, log, peers }: WebServerOptions): Promise<WebDesk> {
  const { web, directory, specialNames } = settings;
  return {
    world,
    web,
    place: { directory, specialNames },
    oauth2: (provider) => settings.oauth2(provider),
    sessions: new SessionTable(database, world),
    attempts: new AttemptTable(database, world),
    pins: new PinTable(database, world.clock),
    forms: new FormTokens(await formKey(database)),
    proxies: new TrustedProxies(web.trustedProxies, peers),
    log,
    base: new URL(web.prefix).pathname.replace(/\/$/, ''),
  };
}

/** Before any route: not too often, and nothing changes without proof that a page of ours was used. No POST can be forgotten so. */
function guard(app: FastifyInstance, desk: WebDesk, limit: RateLimit): void {
  const ownOrigin = new URL(desk.web.prefix).origin;
  app.addHook('onRequest', async (request, reply) => {
    const visit = new Visit(desk, request, reply);
    const wait = limit.take(limitedAs(visit.address));
    if (wait === undefined) return;
    reply.header('retry-after', String(Math.ceil(wait / 1000)));
    return visit.refuse('too-many');
  });
  app.addHook('preHandler', async (request, reply) => {
    if (request.is404 || request.method === 'GET' || request.method === 'HEAD') return;
    const visit = new Visit(desk, request, reply);
    const body = request.body as ReturnType<typeof readForm> | undefined;
    if (body?.kind !== 'form') return visit.refuse('unfit');
    const fits = desk.forms.fits(body.form.one('token'), visit.cookie);
    if (!fits || !isSameOrigin(request.headers, ownOrigin)) return visit.refuse('not-ours');
    request.body = body.form;
  });
}

function addRoutes(app: FastifyInstance, desk: WebDesk): void {
  const files = { [stylesheetPath]: ['text/css', stylesheet], [iconPath]: ['image/svg+xml', icon] } as const;
  for (const [path, [type, text]] of Object.entries(files)) {
    app.get(path, async (_request, reply) =>
      reply.headers({ 'content-type': `${type}; charset=utf-8`, 'cache-control': 'public, max-age=3600' }).send(text),
    );
  }
  app.get<{ Params: { reason: string } }>('/stopped/:reason', async (request, reply) => {
    const { reason } = request.params;
    return new Visit(desk, request, reply).refuse(isRefusalName(reason) ? reason : 'no-page');
  });
  addKeyRoutes(app, desk);
  addLoginRoutes(app, desk);
  if (desk.web.login.kind === 'oidc') addSignInRoutes(app, desk, desk.web.login);
}

/** What goes wrong before or beside a route, as a page. */
function turnAway(reply: FastifyReply, base: string, { status, headers }: ErrorAnswer): FastifyReply {
  const name: RefusalName =
    status === 404
      ? 'no-page'
      : status === 403
        ? 'insecure'
        : status === 503
          ? 'later'
          : status >= 500
            ? 'fault'
            : 'unfit';
  if (headers !== undefined) reply.headers(headers);
  return sendPage(reply, base, { ...refusalPage(name, base, reply.request.id), status });
}
