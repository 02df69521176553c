import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatherRecords } from '../../src/cli/gather-records.ts';
import { topHome } from '../../src/condor/top-home.ts';
import type { Account, Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Logger } from '../../src/observe/log.ts';
import { sentenceOf } from '../../src/observe/log.ts';
import { type StatusReport, statusReport } from '../../src/observe/status.ts';
import { blankAccount, withCredential } from '../../src/renew/account-state.ts';
import { Engine } from '../../src/renew/engine.ts';
import { type PassReport, runPass } from '../../src/renew/pass.ts';
import type { Signals } from '../../src/renew/ports.ts';
import type { Steps } from '../../src/renew/steps.ts';
import { openSpool } from '../../src/store/open-spool.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { AccountRecord, WishRecord } from '../../src/store/records.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import type { Store } from '../../src/store/store.ts';
import type { AccountName, WishName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import type { Files } from '../../src/world/files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { clockedHttp } from './clocked-http.ts';

export interface SettingOptions {
  /** A directory to go on with, as a second process or a later start would; default: a new one. */
  readonly dir?: string;
  /** The tokeep.yaml; `DIR` stands for the directory. */
  readonly config: string;
  readonly world?: Partial<World>;
  /** A second spool, below the directory. */
  readonly secondSpool?: boolean;
  /** What the spool alone sees of the disk. */
  readonly spoolFiles?: Files;
  readonly steps?: Steps;
  readonly node?: string;
  /** Where credentials lie: in the store, or in `.top` files of a user below the directory. Default: the store. */
  readonly home?: HomeName;
}

export const homes = ['store', 'top'] as const;
export type HomeName = (typeof homes)[number];

export interface Setting extends AsyncDisposable {
  readonly dir: string;
  readonly engine: Engine;
  readonly store: Store;
  readonly world: World;
  readonly config: Config;
  /** Sentences logged so far, each after its event name. */
  readonly logged: readonly string[];
  /** What `tokeep status` would be made of now. */
  status(): Promise<StatusReport>;
  pass(mode?: 'pass' | 'forced'): Promise<PassReport>;
  wish(name: string): Promise<WishRecord>;
  account(name: string): Promise<AccountRecord>;
  /** Gives an account a login, as `tokeep setup` would. */
  logIn(name: string, refreshToken: string): Promise<void>;
  /** The refresh token the store holds. */
  refreshToken(name: string): Promise<string | undefined>;
  /** A delivered file below the directory, or undefined. */
  delivered(name: string): Promise<string | undefined>;
  /** Closes, and leaves the directory for the next one. */
  close(): Promise<void>;
}

export const neverAborted: Signals = { waiting: new AbortController().signal, request: new AbortController().signal };

/** A real engine on a real store, spool and files in a directory of its own. */
export async function setting(options: SettingOptions): Promise<Setting> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'tokeep-renew-')));
  const world = worldOf(options.world ?? {});
  const file = join(dir, 'tokeep.yaml');
  await writeFile(file, options.config.replaceAll('DIR', dir));
  await writeFile(join(dir, 'secret'), 'client-secret\n', { mode: 0o600 });
  const config = await loadConfig(world, file);
  const broken = config.findings.find(({ severity }) => severity === 'error');
  if (broken !== undefined) throw new Error(`the test's configuration is wrong: ${broken.message}`);
  const sealer = await openSealer(world, { keyFile: join(dir, 'seal.key') });
  const node = options.node ?? 'node-1';
  const stateDir = join(dir, 'state');
  const store = await openStore(world, { stateDir, choice: { kind: 'sqlite' }, sealer, node });
  const spoolWorld = options.spoolFiles === undefined ? world : { ...world, files: options.spoolFiles };
  const second = options.secondSpool ? { second: join(dir, 'second-spool') } : {};
  const spool = openSpool(spoolWorld, { dir: join(stateDir, 'spool'), ...second, sealer });
  const logged: string[] = [];
  const log: Logger = { event: (name, fields) => void logged.push(`${name}: ${sentenceOf(name, fields)}`) };
  const steps = options.steps === undefined ? {} : { steps: options.steps };
  const tops = join(dir, 'oauth_credentials');
  const topOf = (name: string) => join(tops, 'alice', `${name}.top`);
  const inTop = options.home === 'top';
  if (inTop) await mkdir(join(tops, 'alice'), { recursive: true });
  const homeOf = ({ name }: Account) => topHome(world, { directory: tops, user: 'alice', name });
  const engine = await Engine.open({
    ...{ absent: 'park', world, config, store, spool, log, node, ...steps },
    ...(inTop ? { homeOf } : {}),
  });
  const close = async () => {
    await store.close();
    if (options.world?.http === undefined) await world.http.close();
  };
  return {
    dir,
    engine,
    store,
    world,
    config,
    logged,
    status: async () => statusReport(await gatherRecords(store), engine.config, world.clock.now()),
    pass: (mode = 'pass') => runPass(engine, { mode, signals: neverAborted }),
    wish: async (name) => must((await store.wishes([name as WishName]))[0]),
    account: async (name) => must(await store.account(name as AccountName)),
    async logIn(name, text) {
      if (inTop)
        return writeFile(topOf(name), JSON.stringify({ refresh_token: text, scopes: 'a, b' }), { mode: 0o600 });
      const account = must(config.accounts.get(name as AccountName));
      const credential = new Secret('refresh_token', text);
      const before = (await store.account(account.name)) ?? blankAccount(account);
      await store.saveAccount(withCredential(before, credential, world.clock.now(), { kind: 'unknown' }), {
        credential,
      });
    },
    refreshToken: async (name) =>
      inTop
        ? JSON.parse(await readFile(topOf(name), 'utf8')).refresh_token
        : (await store.secrets(name as AccountName)).credential?.reveal(),
    delivered: (name) =>
      readFile(join(dir, name), 'utf8').then(
        (text) => text.trim(),
        () => undefined,
      ),
    close,
    async [Symbol.asyncDispose]() {
      await close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The real world with what the test puts in its place; answers are timed by the test's clock. */
function worldOf(parts: Partial<World>): World {
  const real = realWorld();
  const http = parts.clock === undefined ? real.http : clockedHttp(real.http, parts.clock);
  return { ...real, http, ...parts };
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not there');
  return value;
}

/** One account with a refresh token and one wish that is delivered to the file `token`. */
export const oneLogin = (issuer: string, more = ''): string => `
accounts:
  robot:
    issuer: ${issuer}
    grant: refresh_token
    client_id: robot
    client_auth: none
    timeout: 2s
tokens:
  monitoring:
    account: robot
    scope: [storage.read:/]
    deliver: [{ file: DIR/token }]
${more}`;

/** Accounts `login1`, … with refresh tokens and `robots` wishes of one client; every wish is delivered to a file of its name. */
export function manyWishes(
  issuer: string,
  count: { readonly logins: number; readonly robots: number },
  more = '',
  { deliver }: { readonly deliver: boolean } = { deliver: true },
): string {
  const wish = (name: string, account: string) =>
    `  ${name}: { account: ${account}, scope: [storage.read:/]${deliver ? `, deliver: [{ file: DIR/${name} }]` : ''} }`;
  const numbers = (n: number) => Array.from({ length: n }, (_, index) => index + 1);
  const client = (grant: string, how: string) =>
    `{ issuer: ${issuer}, grant: ${grant}, client_id: robot, ${how}, timeout: 5s }`;
  return `
accounts:
  robot: ${client('client_credentials', 'client_secret: { file: DIR/secret }')}
${numbers(count.logins)
  .map((n) => `  login${n}: ${client('refresh_token', 'client_auth: none')}`)
  .join('\n')}
tokens:
${numbers(count.robots)
  .map((n) => wish(`robot-wish${n}`, 'robot'))
  .join('\n')}
${numbers(count.logins)
  .map((n) => wish(`wish${n}`, `login${n}`))
  .join('\n')}
${more}`;
}
