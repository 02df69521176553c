import manifest from '../../package.json' with { type: 'json' };
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { roleThatChangesAudit } from '../issue/audit-rights.ts';
import { ClientTable } from '../issue/client-table.ts';
import type { Readiness } from '../issue/readiness.ts';
import { createIssuerServer } from '../issue/server.ts';
import { serverMetrics } from '../issue/server-metrics.ts';
import { Upkeep } from '../issue/upkeep.ts';
import type { OpenIssuer } from '../mint/issuer.ts';
import { headsOf } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import { serveMetrics } from '../observe/metrics-endpoint.ts';
import { isLoopback, type ListenPlace, listenPlace, placeText } from '../serve/listen-place.ts';
import { listen, stop as stopServer } from '../serve/server.ts';
import { TlsFiles } from '../serve/tls-files.ts';
import { TrustedProxies } from '../serve/trusted-proxies.ts';
import { hours, millis, seconds } from '../token/time.ts';
import { realServeText } from '../world/real-text-server.ts';
import type { Context } from './context.ts';
import { withIssuer } from './issuer-place.ts';
import { JournalHeads } from './journal-heads.ts';
import { type ServiceManager, serviceManager } from './service-manager.ts';
import { stopSignals } from './stop-signal.ts';

export interface ServeOptions {
  readonly dir?: string;
  readonly listen: string;
  readonly cert?: string;
  readonly key?: string;
  readonly behindProxy?: readonly string[];
  readonly metrics?: string;
  readonly clientRate: number;
  readonly addressRate: number;
}

/** What is under way when a stop is asked for gets this long. */
const grace = seconds(20);
/** How often the certificate is looked at. */
const lookEvery = seconds(30);
const hourly = hours(1);
/** A client may come with a second's worth of requests ten times over after a pause: jobs start together. */
const burst = 10;

/** `tokeep issuer serve`. */
export async function serveIssuer(context: Context, options: ServeOptions): Promise<ExitCode> {
  const place = listenPlace(options.listen);
  const proxies = new TrustedProxies(options.behindProxy ?? []);
  // Read before root becomes the owner of the issuer, who may not see the key.
  const tls = await openTls(context, options);
  refuseBare(place, tls, proxies);
  return await withIssuer(context, options.dir, async (issuer) => {
    const running = new RunningServer(context, issuer, tls);
    await running.run(place, {
      proxies,
      metrics: options.metrics,
      limits: {
        client: { perSecond: options.clientRate, burst: options.clientRate * burst },
        address: { perSecond: options.addressRate, burst: options.addressRate * burst },
      },
    });
    return exit.fine;
  });
}

async function openTls({ world }: Context, { cert, key }: ServeOptions): Promise<TlsFiles | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Fault('usage', '--cert and --key go together');
  return await TlsFiles.open(world.files, { cert, key });
}

/** Secrets and tokens never go over a network in the clear. */
function refuseBare(place: ListenPlace, tls: TlsFiles | undefined, proxies: TrustedProxies): void {
  if (tls !== undefined || proxies.some || isLoopback(place)) return;
  throw new Fault('usage', `${placeText(place)} can be reached from elsewhere, and there is no TLS`, {
    hint: 'give --cert and --key, or name the proxies in front with --behind-proxy, or listen on 127.0.0.1',
  });
}

interface RunOptions {
  readonly proxies: TrustedProxies;
  readonly metrics: string | undefined;
  readonly limits: Parameters<typeof createIssuerServer>[0]['limits'];
}

/** A server from its start to its end, with what it does besides answering. */
class RunningServer {
  readonly #context: Context;
  readonly #issuer: OpenIssuer;
  readonly #tls: TlsFiles | undefined;
  readonly #log: Logger;
  readonly #manager: ServiceManager;
  readonly #heads: JournalHeads;

  constructor(context: Context, issuer: OpenIssuer, tls: TlsFiles | undefined) {
    this.#context = context;
    this.#issuer = issuer;
    this.#tls = tls;
    this.#log = context.log;
    this.#manager = serviceManager(context.world, context.log);
    const heads = () => headsOf(issuer.directory, issuer);
    this.#heads = new JournalHeads({ heads }, context.world.clock, context.log);
  }

  async run(place: ListenPlace, { proxies, metrics, limits }: RunOptions): Promise<void> {
    const { world, signal } = this.#context;
    const issuer = this.#issuer;
    const startedAt = world.clock.now();
    const { app, counts, readiness } = await createIssuerServer({
      world,
      issuer,
      log: this.#log,
      ...(this.#tls === undefined ? {} : { tls: this.#tls.pair }),
      proxies,
      limits,
      open: () => !signal.aborted,
    });
    const setPair = (pair: TlsFiles['pair']) => (app.server as unknown as TlsServer).setSecureContext(pair);
    await using served =
      metrics === undefined
        ? undefined
        : await serveMetrics(realServeText, metrics, {
            metrics: () => serverMetrics({ issuer, counts, startedAt, certificateEndsAt: this.#tls?.expiresAt }),
            alive: () => true,
            ready: () => !signal.aborted,
          });
    if (served !== undefined) this.#log.event('metrics-listening', { address: served.address });
    const where = await listen(app, place);
    const beat = this.#watchdog();
    const onHangup = () => void this.#reload(setPair);
    process.on('SIGHUP', onHangup);
    try {
      await this.#announce(where);
      await this.#lookAfter(setPair, readiness);
    } finally {
      process.off('SIGHUP', onHangup);
      await this.#manager.tell('STOPPING=1');
      this.#log.event('stopping', { reason: `${String((signal.reason as Error | undefined)?.message ?? 'a fault')}` });
      stopSignals().hurry.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
      await stopServer(app, grace);
      clearInterval(beat);
      await this.#heads.end();
      this.#log.event('stopped', {});
    }
  }

  async #announce(where: ListenPlace): Promise<void> {
    const { url } = this.#issuer.settings;
    const clients = (await new ClientTable(this.#issuer.database).all()).length;
    const address = `${this.#tls === undefined ? 'http' : 'https'}://${placeText(where)}`;
    this.#log.event('issuer-serving', { version: manifest.version, issuer: url, address, clients });
    const role = await roleThatChangesAudit(this.#issuer);
    if (role !== undefined) this.#log.event('audit-unprotected', { role });
    // Keys are served all the same: what others signed must stay verifiable. `/readyz` says no meanwhile.
    await this.#attempt('opening the key that signs', async () => void (await this.#issuer.signingKey()));
    await this.#manager.tell('READY=1', `STATUS=serves ${url} on ${address}`);
  }

  /** Until a stop is asked for: the certificate twice a minute, once an hour what has ended, and the heads of the audit log if it grew. */
  async #lookAfter(setPair: (pair: TlsFiles['pair']) => void, readiness: Readiness): Promise<void> {
    const { world, signal } = this.#context;
    const upkeep = new Upkeep(this.#issuer.database, world.clock);
    let due = world.clock.monotonic() as number;
    while (!signal.aborted) {
      if (world.clock.monotonic() >= due) {
        due += hourly;
        await this.#attempt('looking after the database', async () => {
          if (await readiness.inPlace()) await upkeep.turn();
        });
      }
      this.#heads.turn();
      await this.#attempt('looking at the certificate', () => this.#lookAtCertificate(setPair));
      await world.clock.sleep(millis(lookEvery), signal).catch(() => {});
    }
  }

  async #lookAtCertificate(setPair: (pair: TlsFiles['pair']) => void): Promise<void> {
    const tls = this.#tls;
    const look = await tls?.look();
    if (tls === undefined || look === undefined || look.kind === 'unchanged') return;
    if (look.kind === 'kept') {
      this.#log.event('certificate-kept', { reason: look.reason, expiresAt: tls.expiresAt });
    } else {
      setPair(look.pair);
      this.#log.event('certificate-taken', { file: tls.paths.cert, expiresAt: look.expiresAt });
    }
  }

  /** SIGHUP. Everything but the certificate is looked at once a second anyway; this is for those who want to be sure. */
  async #reload(setPair: (pair: TlsFiles['pair']) => void): Promise<void> {
    await this.#manager.tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    this.#issuer.lookAgain();
    await this.#attempt('looking at the certificate', () => this.#lookAtCertificate(setPair));
    this.#log.event('issuer-reloaded', { issuer: this.#issuer.settings.url });
    await this.#manager.tell('READY=1');
  }

  async #attempt(doing: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#log.event('unexpected-fault', { doing, reason: asFault(thrown, doing).message });
    }
  }

  /** A loop that hangs runs no timers, which is all that a server can say of itself. */
  #watchdog(): NodeJS.Timeout | undefined {
    const { watchdog } = this.#manager;
    return watchdog === undefined ? undefined : setInterval(() => void this.#manager.tell('WATCHDOG=1'), watchdog / 3);
  }
}

interface TlsServer {
  setSecureContext(pair: TlsFiles['pair']): void;
}
