import manifest from '../../package.json' with { type: 'json' };
import type { CredmonSettings } from '../condor/settings.ts';
import { createWebServer } from '../condor/web/server.ts';
import { openWebDatabase } from '../condor/web/web-schema.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { isLoopback, listenPlace, placeText } from '../serve/listen-place.ts';
import { listen, stop } from '../serve/server.ts';
import { TlsFiles } from '../serve/tls-files.ts';
import { listenOnSocket, socketPath } from '../serve/unix-socket.ts';
import { seconds } from '../token/time.ts';
import { readCondorSettings } from './condor-settings.ts';
import type { Context } from './context.ts';
import { becomeWebUser } from './credmon-web-user.ts';
import { serviceManager } from './service-manager.ts';
import { stopSignals } from './stop-signal.ts';

export interface WebOptions {
  readonly condorBin?: string;
}

/** What is under way when a stop is asked for gets this long; a login waits for an issuer. */
const grace = seconds(25);
/** How often the certificate is looked at. */
const lookEvery = seconds(30);

/** `tokeep credmon web`: gives up root before it listens, and before it opens anything that it will go on needing. */
export async function serveCredmonWeb(context: Context, { condorBin }: WebOptions): Promise<ExitCode> {
  const { world, log } = context;
  const settings = await readCondorSettings(world, condorBin);
  await tellFindings(context, settings);
  const { web } = settings;
  await becomeWebUser(world, web);
  const tls = await openTls(context, settings);
  refuseBare(settings, tls);
  const database = await openWebDatabase(world, web.state);
  try {
    const peers = socketPath(web.listen) === undefined ? 'network' : 'unix-socket';
    const app = await createWebServer({
      world,
      settings,
      database,
      log,
      peers,
      ...(tls === undefined ? {} : { tls: tls.pair }),
      open: () => !context.signal.aborted,
    });
    const address = await listenAt(app, web.listen, tls);
    const manager = serviceManager(world, log);
    log.event('web-serving', { version: manifest.version, prefix: web.prefix, address });
    await manager.tell('READY=1', `STATUS=web login of ${web.prefix} on ${address}`);
    await untilStopped(context, tls, (pair) => (app.server as unknown as TlsServer).setSecureContext(pair));
    await manager.tell('STOPPING=1');
    stopSignals().hurry.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
    await stop(app, grace);
  } finally {
    await database.close();
  }
  log.event('stopped', {});
  return exit.fine;
}

/** Those that are about the web login; the credmon tells the others. */
async function tellFindings(context: Context, { findings }: CredmonSettings): Promise<void> {
  for (const { severity, knob, message, hint } of findings) {
    if (!/^(TOKEEP_WEB|CREDMON_WEB)_/.test(knob)) continue;
    await context.warn(`${severity}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
  }
}

async function openTls({ world }: Context, { web }: CredmonSettings): Promise<TlsFiles | undefined> {
  const { certificate: cert, key } = web;
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return await TlsFiles.open(world.files, { cert, key });
  throw new Fault('config-invalid', 'TOKEEP_WEB_CERTIFICATE and TOKEEP_WEB_KEY go together');
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
  { world, log, signal }: Context,
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
