import { userInfo } from 'node:os';
import { dirname, extname, join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { awaitDirectory } from '../condor/awaited-directory.ts';
import { runCredmon } from '../condor/credmon.ts';
import { beginNetworkOf } from '../condor/network.ts';
import type { CredmonSettings } from '../condor/settings.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import { ownIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import { countEvents } from '../observe/metrics.ts';
import { withOwnLocks } from '../store/own-locks.ts';
import { closeInheritedFiles } from '../world/inherited-files.ts';
import { localFiles } from '../world/real-files.ts';
import { sharedFileSystem } from '../world/shared-file-system.ts';
import type { World } from '../world/world.ts';
import type { Context } from './context.ts';
import { CredmonLookout } from './credmon-lookout.ts';
import {
  type CredmonPlaces,
  caFilesOf,
  configNamer,
  credmonBase,
  credmonBaseAnew,
  readCredmonSettings,
  rereader,
} from './credmon-settings.ts';
import { type CredmonTelling, openCredmonLog } from './credmon-telling.ts';
import { nodeName } from './node-name.ts';
import { openState } from './open-state.ts';
import { stopSignals } from './stop-signal.ts';

export type CredmonOptions = CredmonPlaces & CredmonTelling;

/** After a stop was asked for, requests under way get this long: condor_master waits for us. */
const grace = 5_000;

/** `tokeep credmon`. */
export async function keepCredentials(context: Context, options: CredmonOptions): Promise<ExitCode> {
  const hangups = new Hangups();
  const signals = stopsOf(context);
  closeInheritedFiles();
  process.umask(0o027);
  // The master may give us no HOME, and the sealing key of a pool without root is looked for below it.
  process.env['HOME'] ??= homeOfUser();
  const read = () => readCredmonSettings(context.world, options, context.options);
  const first = await read();
  using telling = await openCredmonLog(context, first, options);
  const log = countEvents(telling.log);
  try {
    const reread = await rereader(context.world, first, read);
    await work(context, { settings: first.settings, reread, log, hangups, signals, options });
  } catch (thrown) {
    // The master keeps nothing of what goes to stderr.
    log.event('credmon-failed', { reason: sentenceOf(asFault(thrown, 'the credmon')) });
    throw thrown;
  }
  log.event('stopped', {});
  return exit.fine;
}

/** A user whom no database knows has none. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

const sentenceOf = ({ message, hint }: Fault): string => (hint === undefined ? message : `${message}; ${hint}`);

interface Work {
  readonly settings: CredmonSettings;
  readonly reread: () => Promise<CredmonSettings | undefined>;
  readonly log: Logger & ReturnType<typeof countEvents>;
  readonly hangups: Hangups;
  readonly signals: { readonly stop: AbortSignal; readonly hurry: AbortSignal };
  readonly options: CredmonOptions;
}

async function work(context: Context, { settings, reread, log, hangups, signals, options }: Work): Promise<void> {
  const base = await credmonBase(context.world, settings, configNamer(context.options));
  // What a person names is there, or wrong.
  if (options.credDir === undefined) await awaitDirectory(context.world, settings.directory, log, signals.stop);
  if (signals.stop.aborted) return;
  const { store: shared, spool, sealer } = await openState(context.world, settings.state, base, log);
  try {
    await using _only = await shared.lockRun();
    const store = withOwnLocks(shared);
    const caFiles = caFilesOf(base);
    const network = await beginNetworkOf({ world: context.world, settings, log, program: networkProgram(), caFiles });
    const files = await filesFor(context.world, settings.directory);
    const world: World = { ...context.world, files, http: network.http, mailer: network.mailer };
    const node = nodeName(world.env);
    const issuers = ownIssuers(world, { sealer: async () => sealer, chain: node });
    const lookout = new CredmonLookout({
      ...{ world, store, ownIssuers: issuers, log, base },
      serveText: network.serveText,
      stop: signals.stop,
    });
    log.event('credmon-started', { version: manifest.version, directory: settings.directory, pid: process.pid });
    signals.stop.addEventListener('abort', () => log.event('stopping', { reason: reasonOf(signals.stop) }));
    try {
      await runCredmon({
        ...{ world, settings, reread, base, store, spool, sealer, log, node, signals, lookout },
        pid: process.pid,
        networkReady: network.ready,
        rebase: (now) => credmonBaseAnew(context.world, base, now, configNamer(context.options)),
        ownIssuers: issuers,
        ...(options.condorBin === undefined ? {} : { condorBin: options.condorBin }),
        onHangup: (listener) => hangups.tell(listener),
      });
    } finally {
      await lookout.end();
      await issuers.close();
      await network.close();
    }
  } finally {
    await shared.close();
  }
}

/** Tens of thousands of small files are looked after in one process; where a disk may hang, in threads. */
async function filesFor({ files }: World, directory: string): Promise<World['files']> {
  const isLocal = sharedFileSystem(await files.fileSystemType(directory).catch(() => 0)) === undefined;
  return isLocal ? localFiles : files;
}

const reasonOf = (stop: AbortSignal): string =>
  `${(stop.reason as Error).message}, what is under way is brought to its end`;

/** Beside the program that was started, in the bundle as in a checkout. */
function networkProgram(): string {
  const started = process.argv[1] ?? '';
  return join(dirname(started), `tokeep-network${extname(started)}`);
}

/** SIGHUP, which would end us while nobody listens; what comes before is covered by the first look. */
class Hangups {
  #listener: () => void = () => {};

  constructor() {
    process.on('SIGHUP', () => this.#listener());
  }

  tell(listener: () => void): void {
    this.#listener = listener;
  }
}

/** SIGTERM and SIGINT end us after what is under way, if that does not take long; SIGQUIT is HTCondor's fast shutdown. */
function stopsOf(context: Context): Work['signals'] {
  const stop = context.signal;
  const late = new AbortController();
  stop.addEventListener('abort', () => void setTimeout(() => late.abort(), grace).unref(), { once: true });
  process.on('SIGQUIT', () => {
    process.emit('SIGTERM');
    late.abort();
  });
  return { stop, hurry: AbortSignal.any([late.signal, stopSignals().hurry]) };
}
