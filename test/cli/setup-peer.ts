import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { approve } from '../peers/approve.ts';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Bench extends AsyncDisposable {
  /** A directory of its own, the home of all commands run here. */
  readonly directory: string;
  path(name: string): string;
  file(name: string, text: string, mode?: number): Promise<string>;
  /** Runs a program of the checkout with pipes instead of a terminal. */
  run(program: string, args: readonly string[], given?: RunOptions): Promise<Ran>;
}

export interface RunOptions {
  readonly input?: string;
  /** As a person with a browser: approves the login that the program shows. */
  readonly approves?: true;
  readonly env?: Readonly<Record<string, string>>;
}

/** Every secret in these tests has this word in it; no program may say it. */
export const canary = 'canary';

export async function bench(): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'setup-'));
  const path = (name: string) => join(directory, name);
  return {
    directory,
    path,
    async file(name, text, mode = 0o600) {
      await writeFile(path(name), text, { mode });
      return path(name);
    },
    run: (program, args, given = {}) => run(directory, program, args, given),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function run(home: string, program: string, args: readonly string[], given: RunOptions): Promise<Ran> {
  const file = fileURLToPath(new URL(`../../src/cli/${program}.ts`, import.meta.url));
  const config = join(home, 'config');
  // Else root's sealing key would be that of this machine.
  const places = { HOME: home, XDG_CONFIG_HOME: config, CONFIGURATION_DIRECTORY: join(config, 'tokeep') };
  const env = { PATH: process.env['PATH'] ?? '', ...places, ...given.env };
  const child = spawn(process.execPath, ['--no-warnings', file, ...args], { env, cwd: home });
  let stdout = '';
  let stderr = '';
  let approved: Promise<string> | undefined;
  const watch = () => {
    const page = /https?:\/\/\S+user_code=\S+/.exec(stdout + stderr)?.[0];
    if (given.approves && page !== undefined) approved ??= approve(page);
  };
  child.stdout.on('data', (part) => {
    stdout += part;
    watch();
  });
  child.stderr.on('data', (part) => {
    stderr += part;
    watch();
  });
  if (given.input === undefined) child.stdin.end();
  else child.stdin.end(given.input);
  child.stdin.on('error', () => {});
  const [status] = (await once(child, 'close')) as [number | null];
  await approved;
  assert.doesNotMatch(stdout + stderr, new RegExp(canary), 'a secret was shown');
  return { status, stdout, stderr };
}
