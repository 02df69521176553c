import manifest from '../../package.json' with { type: 'json' };
import type { CredmonSettings } from '../condor/settings.ts';
import { createWebServer } from '../condor/web/server.ts';
import { openWebDatabase } from '../condor/web/web-schema.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, Fault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import { isLoopback, listenPlace, placeText } from '../serve/listen-place.ts';
import { listen, stop } from '../serve/server.ts';
import { TlsFiles } from '../serve/tls-files.ts';
import { TrustedProxies } from '../serve/trusted-proxies.ts';
import { listenOnSocket, socketPath } from '../serve/unix-socket.ts';
import { seconds } from '../token/time.ts';
import type { Context } from './context.ts';
import { type OpenLog, openCredmonLog } from './credmon-telling.ts';
import { type ReadWebSettings, readWebSettings, type WebPlaces } from './credmon-web-settings.ts';
import { becomeWebUser } from './credmon-web-user.ts';
import { serviceManager } from './service-manager.ts';
import { stopSignals } from './stop-signal.ts';

export interface WebOptions extends WebPlaces {
  readonly logFile?: string;
}

/** What is under way when a stop is asked for gets this long; a login waits for an issuer. */
const grace = seconds(25);
/** How often the certificate is looked at. */
const lookEvery = seconds(30);

/** `tokeep credmon web`: gives up root before it listens, and before it opens anything that it will go on needing. */
export async function serveCredmonWeb(context: Context, options: WebOptions): Promise<ExitCode> {
  const read = await readWebSettings(context, options);
  await becomeWebUser(context.world, read.web);
  using telling = await openWebLog(context, read, options);
  const { log } = telling;
  try {
    tellFindings(log, read.settings);
    await serve(context, read.settings, log);
  } catch (thrown) {
    // The master keeps nothing of what goes to stderr.
    const { message, hint } = asFault(thrown, 'the web login');
    log.event('web-failed', { reason: message, hint });
    throw thrown;
  }
  log.event('stopped', {});
  return exit.fine;
}

/** The file that the knob or the option names; else stderr. */
async function openWebLog(context: Context, read: ReadWebSettings, options: WebOptions): Promise<OpenLog> {
  const logFile = options.logFile ?? read.web.log;
  if (logFile === undefined) return { log: context.log, [Symbol.dispose]() {} };
  return await openCredmonLog(context, read, { name: 'CREDMON_WEB', logFile });
}

async function serve(context: Context, settings: CredmonSettings, log: Logger): Promise<void> {
  const { world } = context;
  const { web } = settings;
  demandPlaces(web);
  const tls = await openTls(context, settings);
  refuseBare(settings, tls);
  const database = await openWebDatabase(world, web.state);
  try {
    const app = await createWebServer({
      ...{ world, settings, database, log },
      ...(tls === undefined ? {} : { tls: tls.pair }),
      peers: socketPath(web.listen) === undefined ? 'network' : 'unix-socket',
      open: () => !context.signal.aborted,
    });
    const address = await listenAt(app, web.listen, tls);
    const manager = serviceManager(world, log);
    log.event('web-serving', { version: manifest.version, prefix: web.prefix, address });
    await manager.tell('READY=1', `STATUS=web login of ${web.prefix} on ${address}`);
    const setPair = (pair: TlsFiles['pair']) => (app.server as unknown as TlsServer).setSecureContext(pair);
    await untilStopped(context, log, tls, setPair);
    await manager.tell('STOPPING=1');
    stopSignals().hurry.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
    await stop(app, grace);
  } finally {
    await database.close();
  }
}

/** Those that are about the web login; the credmon tells the others. */
function tellFindings(log: Logger, { findings }: CredmonSettings): void {
  for (const { knob, message, hint } of findings) {
    if (/^(TOKEEP_WEB|CREDMON_WEB)_/.test(knob)) log.event('web-setting-wrong', { knob, reason: message, hint });
  }
}

async function openTls({ world }: Context, { web }: CredmonSettings): Promise<TlsFiles | undefined> {
  const { certificate: cert, key } = web;
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return await TlsFiles.open(world.files, { cert, key });
  throw new Fault('config-invalid', 'TOKEEP_WEB_CERTIFICATE and TOKEEP_WEB_KEY go together');
}

/** What is wrong with an address, with the knob that it stands in. */
function demandPlaces({ listen: place, trustedProxies }: CredmonSettings['web']): void {
  const checks = {
    TOKEEP_WEB_LISTEN: () => socketPath(place) ?? listenPlace(place),
    TOKEEP_WEB_TRUSTED_PROXIES: () => new TrustedProxies(trustedProxies),
  };
  for (const [knob, check] of Object.entries(checks)) {
    try {
      check();
    } catch (thrown) {
      const { message, hint } = asFault(thrown, `reading ${knob}`);
      throw new Fault('config-invalid', `${knob}: ${message}`, {
        ...(hint === undefined ? {} : { hint }),
        cause: thrown,
      });
    }
  }
}

/** Codes and cookies never go over a network in the clear. */
function refuseBare({ web }: CredmonSettings, tls: TlsFiles | undefined): void {
  if (tls !== undefined || socketPath(web.listen) !== undefined) return;
  if (web.trustedProxies.length > 0 || isLoopback(listenPlace(web.listen))) return;
  throw new Fault('config-invalid', `${web.listen} can be reached from elsewhere, and there is no TLS`, {
    hint: 'set TOKEEP_WEB_CERTIFICATE and TOKEEP_WEB_KEY, or TOKEEP_WEB_TRUSTED_PROXIES, or listen on 127.0.0.1',
  });
}

async function listenAt(app: Parameters<typeof listen>[0], place: string, tls: TlsFiles | undefined): Promise<string> {
  const path = socketPath(place);
  if (path === undefined) {
    return `${tls === undefined ? 'http' : 'https'}://${placeText(await listen(app, listenPlace(place)))}`;
  }
  await listenOnSocket(app, path);
  return path;
}

async function untilStopped(
  { world, signal }: Context,
  log: Logger,
  tls: TlsFiles | undefined,
  setPair: (pair: TlsFiles['pair']) => void,
): Promise<void> {
  const look = async () => {
    if (tls === undefined) return;
    const found = await tls.look();
    if (found.kind === 'kept') {
      log.event('certificate-kept', { reason: found.reason, expiresAt: tls.expiresAt });
    } else if (found.kind === 'taken') {
      setPair(found.pair);
      log.event('certificate-taken', { file: tls.paths.cert, expiresAt: found.expiresAt });
    }
  };
  const quietly = () =>
    look().catch((thrown: unknown) => {
      const doing = 'looking at the certificate';
      log.event('unexpected-fault', { doing, reason: asFault(thrown, doing).message });
    });
  const onHangup = () => void quietly();
  process.on('SIGHUP', onHangup);
  while (!signal.aborted) {
    await quietly();
    await world.clock.sleep(lookEvery, signal).catch(() => {});
  }
  process.off('SIGHUP', onHangup);
}

interface TlsServer {
  setSecureContext(pair: TlsFiles['pair']): void;
}
