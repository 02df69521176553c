import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, mkdtemp, open, readdir, rm, watch, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { Surroundings } from './surroundings.ts';

export interface StorageWish {
  /** The text of scitokens.cfg, for a storage whose audience is this. */
  readonly scitokens: (audience: string) => string;
  /** Files to be there, by their path in the storage, with what is in them. */
  readonly files: Readonly<Record<string, string>>;
  /** The text of XRootD's own authdb. Without it tokens are the only way in. */
  readonly authdb?: string;
}

/** A real XRootD, serving a directory of its own by https and by the root protocol over TLS. */
export interface Storage extends AsyncDisposable {
  /** `https://localhost:PORT`; the storage's audience too. */
  readonly url: string;
  /** `roots://localhost:PORT/`, to be followed by an absolute path. */
  readonly rootsUrl: string;
  /** What it serves. */
  readonly directory: string;
  /** Where its scitokens.cfg lies. */
  readonly configFile: string;
  /** libscitokens' database of issuers' keys. */
  readonly keyCacheFile: string;
  /** Why it found tokens no good, as its log says, since the last call of this. */
  refusals(): readonly string[];
}

/** Runs as an unprivileged user, with its files in a directory of its own below the run's, and ends with the test. */
export async function startXrootd(wish: StorageWish, told: Surroundings): Promise<Storage> {
  const home = await mkdtemp(join(told.directory, 'xrootd-'));
  const ports = await freePorts();
  const url = `https://localhost:${ports.https}`;
  const configFile = join(home, 'scitokens.cfg');
  await prepare(home, wish, told);
  await writeFile(configFile, wish.scitokens(url));
  await writeFile(join(home, 'xrootd.cfg'), xrootdConfig(home, ports, wish.authdb));
  await handOver(home, told);

  const command = [...told.unprivileged, 'xrootd', '-c', join(home, 'xrootd.cfg'), '-n', 'interop', '-I', 'v4'];
  const [program = '', ...args] = command;
  const env = { ...process.env, ...told.environment, XDG_CACHE_HOME: join(home, 'cache') };
  // A file, not a pipe: what XRootD wrote before it answered is in there when the answer comes.
  const logFile = join(home, 'log');
  const log = await open(logFile, 'a+');
  const child = spawn(program, args, { cwd: home, env, stdio: ['ignore', 'ignore', log.fd] });
  const ended = once(child, 'close');
  await hasStarted(logFile, ended);
  let readTo = 0;
  return {
    url,
    rootsUrl: `roots://localhost:${ports.root}/`,
    directory: join(home, 'export'),
    configFile,
    keyCacheFile: join(home, 'cache/scitokens/scitokens_cpp.sqllite'),
    refusals() {
      const text = readFileSync(logFile, 'utf8').slice(readTo);
      readTo += text.length;
      return [...new Set([...text.matchAll(/ scitokens_GenerateAcls: .*: (.+)$/gm)].map(([, why = '']) => why))];
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await log.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Waits until the log says that XRootD is ready; throws with the log if it ends instead. */
async function hasStarted(logFile: string, ended: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const changes = watch(logFile, { signal: done.signal });
  ended.then(
    () => done.abort(),
    () => done.abort(),
  );
  const ready = () => /xrootd interop@\S+ initialization completed/.test(readFileSync(logFile, 'utf8'));
  try {
    while (!ready()) await changes.next();
  } catch {
    throw new Error(`XRootD did not start:\n${readFileSync(logFile, 'utf8')}`);
  }
  await changes.return?.();
}

interface Ports {
  readonly root: number;
  readonly https: number;
}

const xrootdConfig = (home: string, ports: Ports, authdb: string | undefined): string => `
all.role server
all.export /
oss.localroot ${home}/export
all.adminpath ${home}/admin
all.pidpath ${home}/admin
xrd.port ${ports.root}
xrd.network nodnr
xrd.protocol XrdHttp:${ports.https} libXrdHttp.so
xrd.tls ${home}/host.pem ${home}/host.key
xrd.tlsca certfile ${home}/ca.pem
xrootd.seclib libXrdSec.so
sec.protocol ztn
sec.protbind * only ztn
ofs.authorize
ofs.authlib ${authdb === undefined ? '' : '++ '}libXrdAccSciTokens.so config=${home}/scitokens.cfg
${authdb === undefined ? '' : `acc.authdb ${home}/authdb`}
http.header2cgi Authorization authz
scitokens.trace all
`;

/** Everything it needs lies in its home: certificates, an empty state, and the files it serves. */
async function prepare(home: string, { files, authdb }: StorageWish, told: Surroundings): Promise<void> {
  for (const directory of ['export', 'admin', 'cache']) await mkdir(join(home, directory));
  await copyFile(told.caFile, join(home, 'ca.pem'));
  await copyFile(told.certFile, join(home, 'host.pem'));
  await copyFile(told.keyFile, join(home, 'host.key'));
  await chmod(join(home, 'host.key'), 0o400);
  if (authdb !== undefined) await writeFile(join(home, 'authdb'), authdb);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(home, 'export', path, '..'), { recursive: true });
    await writeFile(join(home, 'export', path), text);
  }
}

/** Gives the whole home to the user XRootD runs as. */
async function handOver(home: string, { serviceUser }: Surroundings): Promise<void> {
  if (serviceUser === undefined) return;
  const { uid, gid } = serviceUser;
  for (const entry of await readdir(home, { recursive: true })) await chown(join(home, entry), uid, gid);
  await chown(home, uid, gid);
}

/** Two ports nobody listens on, told apart by holding both for a moment: XRootD's configuration needs their numbers. */
async function freePorts(): Promise<Ports> {
  const [one, other] = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')];
  await Promise.all([once(one, 'listening'), once(other, 'listening')]);
  const ports = { root: (one.address() as AddressInfo).port, https: (other.address() as AddressInfo).port };
  one.close();
  other.close();
  await Promise.all([once(one, 'close'), once(other, 'close')]);
  return ports;
}
