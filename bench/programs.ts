import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const fileBeside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs a Node program to its end and gives what it printed; rejects when it fails. */
export async function outputOf(args: readonly string[], options: SpawnOptions = {}): Promise<string> {
  const child = node(args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let complaints = '';
  child.stdout?.on('data', (part: Buffer) => {
    printed += part;
  });
  child.stderr?.on('data', (part: Buffer) => {
    complaints += part;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${complaints}`);
  return printed;
}

/** A Node program that says with its first line that it is ready, and ends when its standard input is closed. */
export async function startProgram(args: readonly string[]): Promise<AsyncDisposable & { readonly line: string }> {
  const child = node(args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit').then(() => {
    throw new Error(`${args.join(' ')} ended before it was ready`);
  });
  gone.catch(() => {});
  if (child.stdout === null) throw new Error('no output');
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), gone])) as [string];
  return {
    line,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.stdin?.end();
      await ended;
    },
  };
}

/** Without the options of the program that started us, a profiler's for instance. */
export function node(args: readonly string[], options: SpawnOptions): ChildProcess {
  const env = { ...(options.env ?? process.env), NODE_OPTIONS: '' };
  return spawn(process.execPath, args, { ...options, env });
}
