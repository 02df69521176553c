import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

const running = new Set<ChildProcess>();

/** Ends what still runs, at once: all that it keeps is about to be thrown away. */
export async function endAll(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ends);
}

/** Starts `tokeep ARGS` as anybody would, with a home of its own below `dir`. */
export function tokeep(dir: string, args: readonly string[]): ChildProcess {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: dir };
  const places = ['--config', join(dir, 'config.yaml'), '--state', join(dir, 'state')];
  const child = spawn(process.execPath, [program, ...places, ...args], {
    // Root would look for its sealing key in /etc/tokeep.
    env: { ...env, XDG_CONFIG_HOME: join(dir, 'config'), XDG_RUNTIME_DIR: dir, CONFIGURATION_DIRECTORY: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end; `onLine` sees each line of stderr as it comes. */
export async function finish(child: ChildProcess, onLine: (line: string) => void = () => {}): Promise<Ended> {
  let stdout = '';
  const stderr: string[] = [];
  child.stdout?.on('data', (part: Buffer) => {
    stdout += part.toString();
  });
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      stderr.push(line);
      onLine(line);
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr: stderr.join('\n') };
}
