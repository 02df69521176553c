import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { IssuerConfig, IssuerReady, KnownClient } from './issuer-config.ts';
import { type ThrowAwayCa, throwAwayCa } from './throw-away-ca.ts';

export interface IssuerOptions extends Partial<Omit<IssuerConfig, 'port' | 'tls' | 'stateFile'>> {
  /** With a throw-away CA, its own or one that others are certified by, too; default: plain http on loopback. */
  readonly tls?: 'throw-away-ca' | ThrowAwayCa;
  /** `file`: logins and refresh tokens survive restart() and kill(). */
  readonly state?: 'memory' | 'file';
}

/** A running issuer process. */
export interface RunningIssuer extends AsyncDisposable {
  readonly issuer: string;
  readonly port: number;
  /** The CA to trust, where there is TLS. */
  readonly caFile: string | undefined;
  /** What the issuer keeps, where it survives a restart. */
  readonly stateFile: string | undefined;
  readonly pid: number;
  /** Of those who had logged in from the start (`loggedIn`). */
  readonly refreshTokens: readonly string[];
  /** SIGKILL: the issuer is gone, its port free; restart() brings it back. */
  kill(): Promise<void>;
  /** On the same port, killing the old process first if there is one. */
  restart(changes?: IssuerOptions): Promise<void>;
  /** Ends the process and removes what it left. */
  stop(): Promise<void>;
}

/** A client for each way to a token. */
export const wlcgAny = 'https://wlcg.cern.ch/jwt/v1/any';
export const robot: KnownClient = {
  client_id: 'robot-1.test',
  client_secret: 'robot-secret-0123456789abcdefghijklmnopqrstuv',
  grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
};
export const person: KnownClient = {
  client_id: 'person-1.test',
  client_secret: 'person-secret-0123456789abcdefghijklmnopqrst',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code', 'refresh_token'],
  redirect_uris: ['http://127.0.0.1/callback'],
  response_types: ['code'],
};

const defaults = {
  accessTokenLife: 3600,
  refreshTokenLife: 30 * 86_400,
  rotate: 'always',
  clients: [robot, person],
  scopes: ['storage.read:/', 'storage.create:/', 'compute.read', 'compute.create'],
  audiences: [wlcgAny, 'https://storage.example', 'batch.example'],
} as const;

/** Starts an issuer as its own process, and resolves when it listens. */
export async function startIssuer(options: IssuerOptions = {}): Promise<RunningIssuer> {
  const { tls, state, ...behaviour } = options;
  const ownCa = tls === 'throw-away-ca' ? await throwAwayCa() : undefined;
  const ca = tls === 'throw-away-ca' ? ownCa : tls;
  const directory = state === 'file' ? await mkdtemp(join(tmpdir(), 'issuer-state-')) : undefined;
  let config: IssuerConfig = {
    ...defaults,
    ...behaviour,
    port: 0,
    ...(ca === undefined ? {} : { tls: await ca.certificate() }),
    ...(directory === undefined ? {} : { stateFile: join(directory, 'state.json') }),
  };
  let running = await launch(config);
  config = { ...config, port: running.ready.port };

  async function kill(): Promise<void> {
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  async function stop(): Promise<void> {
    await kill();
    await ownCa?.remove();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
  return {
    issuer: running.ready.issuer,
    port: running.ready.port,
    caFile: ca?.caFile,
    stateFile: config.stateFile,
    refreshTokens: running.ready.refreshTokens,
    get pid() {
      return running.child.pid ?? 0;
    },
    kill,
    async restart(changes = {}) {
      const { tls: _tls, state: _state, ...behaviour } = changes;
      await kill();
      config = { ...config, ...behaviour };
      running = await launch(config);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const program = fileURLToPath(new URL('./oidc-issuer.ts', import.meta.url));

async function launch(config: IssuerConfig): Promise<{ readonly child: ChildProcess; readonly ready: IssuerReady }> {
  const child = spawn(process.execPath, ['--no-warnings', program, JSON.stringify(config)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let complaints = '';
  child.stderr.on('data', (part: Buffer) => {
    complaints = (complaints + part).slice(-8192);
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the issuer process did not start:\n${complaints}`);
  });
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const [text] = await Promise.race([line, ended]);
  ended.catch(() => {});
  child.stdout.resume();
  return { child, ready: JSON.parse(text) as IssuerReady };
}
