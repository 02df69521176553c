import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { approve } from '../peers/approve.ts';

export interface Ran {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly program?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of a pipe: a file descriptor, or nothing at all. */
  readonly stdout?: number | 'ignore';
  readonly cwd?: string;
}

/** A tokeep that runs on. */
export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  /** All that it said until now. */
  said(): string;
  /** Waits for words after the place `from` of what it says. */
  hears(words: RegExp, from?: number): Promise<string>;
  ended: Promise<Ran>;
  end(signal?: NodeJS.Signals): Promise<Ran>;
}

/** A machine of its own for tokeep: configuration, state, secrets and targets below one directory. */
export interface House extends AsyncDisposable {
  readonly directory: string;
  path(name: string): string;
  file(name: string, text: string | Buffer, mode?: number): Promise<string>;
  read(name: string): Promise<string>;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a command with somebody at the browser. */
  logIn(args: readonly string[], options?: RunOptions): Promise<Ran>;
  start(args: readonly string[], options?: RunOptions): Running;
  /** What every command said so far, for whoever looks for secrets in it. */
  readonly heard: readonly string[];
}

/** For machines with much else to do. */
const patience = 30_000;

export async function house(env: Readonly<Record<string, string>> = {}): Promise<House> {
  const directory = await mkdtemp(join(tmpdir(), 'tokeep-e2e-'));
  const path = (name: string) => join(directory, name);
  for (const name of ['etc', 'out']) await mkdir(path(name), { mode: 0o700 });
  const heard: string[] = [];
  const home = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    TMPDIR: path('out'),
    CONFIGURATION_DIRECTORY: path('etc'),
    STATE_DIRECTORY: path('state'),
    TOKEEP_CONFIG: path('tokeep.yaml'),
    ...env,
  };

  function start(args: readonly string[], options: RunOptions = {}): Running {
    const file = fileURLToPath(new URL(`../../src/cli/${options.program ?? 'main'}.ts`, import.meta.url));
    const child = spawn(process.execPath, ['--no-warnings', file, ...args], {
      env: { ...home, ...options.env },
      cwd: options.cwd ?? directory,
      stdio: ['pipe', options.stdout ?? 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let all = '';
    const more = new Set<() => void>();
    child.stdout?.on('data', (part: Buffer) => {
      stdout += part.toString('utf8');
      all += part.toString('utf8');
      for (const look of more) look();
    });
    child.stderr?.on('data', (part: Buffer) => {
      stderr += part.toString('utf8');
      all += part.toString('utf8');
      for (const look of more) look();
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
    const ended = once(child, 'close').then(([status, signal]): Ran => {
      heard.push(stdout, stderr);
      return { status, signal, stdout, stderr };
    });
    async function end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ran> {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return await ended;
    }
    return {
      child,
      said: () => all,
      async hears(words, from = 0) {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        const look = () => {
          const found = words.exec(all.slice(from));
          if (found !== null) resolve(found[0]);
        };
        const timer = setTimeout(() => reject(new Error(`nobody said ${words}:\n${all}`)), patience);
        more.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without saying ${words}:\n${all}`)));
        return await promise.finally(() => {
          clearTimeout(timer);
          more.delete(look);
        });
      },
      ended,
      end,
      [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
    };
  }

  return {
    directory,
    path,
    heard,
    start,
    async file(name, text, mode = 0o600) {
      await writeFile(path(name), text, { mode });
      return path(name);
    },
    read: (name) => readFile(path(name), 'utf8'),
    run: (args, options) => start(args, options).ended,
    async logIn(args, options) {
      const running = start(args, options);
      const page = running.hears(/https?:\/\/\S+(?:user_code=\S+|response_type=code\S*)(?=\s)/);
      try {
        await visit(await page);
      } catch (thrown) {
        const { stderr } = await running.end();
        throw new Error(`nobody could log in: ${stderr}`, { cause: thrown });
      }
      return await running.ended;
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The browser: at the issuer's pages, and back at the program's own where the login leads there. */
async function visit(page: string): Promise<void> {
  const end = await approve(page);
  if (new URL(end).origin !== new URL(page).origin) await fetch(end);
}

/** Looks again until something holds; what is looked at has no other way to tell. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const last = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > last) assert.fail(`${what} did not come about`);
    await delay(50);
  }
}

/** No traces of the program's inside, and something a person can read. */
export function assertSentence({ stderr }: Ran): void {
  assert.match(stderr, /^(tokeep: |osg-token-renewer: |\S+:\d+:\d+: |\S+ warning \S+: ).{10,}/m);
  assertNoTrace(stderr);
}

export function assertNoTrace(text: string): void {
  assert.doesNotMatch(text, /^\s+at .*[:(]\S+:\d+|node:internal|\bundefined\b|\[object |\bNaN\b|please report it/m);
}
