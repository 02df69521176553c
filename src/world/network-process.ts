import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { FrameReader, frame } from './network-frames.ts';
import { type FromNetwork, readFromNetwork, type ToNetwork } from './network-messages.ts';

export interface NetworkProcessOptions {
  /** The program that runs {@link NetworkChild} on descriptor 3. */
  readonly program: string;
  /** Who it is to be; undefined: who we are. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** CA files and folders of them (ending in `/`) that it may open, besides the usual places. */
  readonly readable: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One life of the network process. */
export interface NetworkProcess {
  readonly pid: number | undefined;
  say(message: ToNetwork): void;
  /** Ends it: its pipe is closed; what is still there a moment later is killed. */
  end(): void;
  /** At once, since it said what it must not say; `reason` becomes that of its end. */
  condemn(reason: string): void;
  /** Why it ended, in words without anything it said. */
  readonly ended: Promise<string>;
}

/** What Node and OpenSSL read by themselves when they start (proxies go over the pipe). */
const kept = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const;
const usualPlaces = ['/etc/', '/usr/share/', '/usr/local/share/', '/var/lib/ca-certificates/'];
const lastMoment = 2_000;

/** Starts it. The user takes effect with setgroups(2), setgid(2) and setuid(2), in that order, before the program runs. */
export function startNetworkProcess(
  options: NetworkProcessOptions,
  onMessage: (message: FromNetwork) => void,
): NetworkProcess {
  const ended = Promise.withResolvers<string>();
  let condemned: string | undefined;
  const child = spawned(options);
  if (typeof child === 'string') {
    ended.resolve(child);
    return { pid: undefined, say() {}, end() {}, condemn() {}, ended: ended.promise };
  }
  const pipe = child.stdio[3] as Duplex;
  const words = new LastWords(child);
  const condemn = (reason: string) => {
    condemned ??= reason;
    child.kill('SIGKILL');
  };
  const reader = new FrameReader();
  pipe.on('data', (piece: Buffer) => {
    if (condemned !== undefined) return;
    for (const message of taken(reader, piece)) {
      if (message === undefined) return condemn('it said something that makes no sense');
      onMessage(message);
      if (condemned !== undefined) return;
    }
  });
  // EPIPE: it has ended, which its exit tells.
  pipe.on('error', () => {});
  child.on('error', (error: NodeJS.ErrnoException) => {
    ended.resolve(`it could not be started (${error.code ?? error.name})`);
  });
  // All it said has been heard by then.
  child.on('close', (status, signal) => {
    ended.resolve(condemned ?? (signal === null ? `exit status ${status}${words.code()}` : `killed by ${signal}`));
  });
  return {
    pid: child.pid,
    say: (message) => void pipe.write(frame(message)),
    end() {
      pipe.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), lastMoment);
      child.once('exit', () => clearTimeout(timer));
    },
    condemn,
    ended: ended.promise,
  };
}

/** What it said; undefined stands for what cannot be understood, after which nothing counts. */
function taken(reader: FrameReader, piece: Buffer): readonly (FromNetwork | undefined)[] {
  try {
    return reader.take(piece).map(readFromNetwork);
  } catch {
    return [undefined];
  }
}

function spawned({ program, user, readable, env }: NetworkProcessOptions): ChildProcess | string {
  const above = dirname(dirname(program));
  // Its own code with the packages beside it, and CAs; no other file, no child, no thread, no native code.
  const places = [`${above}/`, `${dirname(above)}/node_modules/`, ...usualPlaces, ...readable];
  const given = kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const flags = permissionFlags(places, process.allowedNodeEnvironmentFlags);
  try {
    const child = spawn(process.execPath, [...flags, program], {
      cwd: '/',
      env: Object.fromEntries(given),
      // Node closes what we opened (CLOEXEC); for what we were handed ourselves there is closeInheritedFiles.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      ...user,
    });
    // Without descriptors left there are no pipes, whatever the type says.
    if (child.stdio?.[3] !== undefined) return child;
    child.on('error', () => {});
    return 'it could not be started (EMFILE)';
  } catch (thrown) {
    return `it could not be started (${(thrown as NodeJS.ErrnoException).code ?? 'for an unknown reason'})`;
  }
}

/** From Node 25 on, the network is a permission as well; the flag is unknown to those before. */
export const permissionFlags = (
  places: readonly string[],
  known: Pick<ReadonlySet<string>, 'has'>,
): readonly string[] => [
  '--permission',
  ...places.map((place) => `--allow-fs-read=${place}`),
  ...(known.has('--allow-net') ? ['--allow-net'] : []),
  '--disable-sigusr1',
];

/** Of what Node says at its end only the error's code is kept: the rest may quote what it worked on. */
class LastWords {
  #text = '';

  constructor(child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      this.#text = (this.#text + piece).slice(-4_096);
    });
  }

  code(): string {
    const [found] = /\b(E[A-Z]{3,14}|ERR_[A-Z_]{3,40}|MODULE_NOT_FOUND)\b/.exec(this.#text) ?? [];
    return found === undefined ? '' : ` (${found})`;
  }
}
