import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `tokeep ARGS` as anybody would, with a home of its own, and keeps in mind what runs. */
export class OwnCommands implements AsyncDisposable {
  readonly #program: string;
  readonly #dir: string;
  readonly #running = new Set<ChildProcess>();
  #over = false;

  /** `program` is what Node is to run; configuration (`config.yaml`), state and home are below `dir`. */
  constructor(program: string, dir: string) {
    this.#program = program;
    this.#dir = dir;
  }

  start(args: readonly string[]): ChildProcess {
    if (this.#over) throw new Error('the demo is over');
    const dir = this.#dir;
    const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: dir, TMPDIR: dir };
    const places = ['--config', join(dir, 'config.yaml'), '--state', join(dir, 'state')];
    const child = spawn(process.execPath, ['--disable-sigusr1', this.#program, ...places, ...args], {
      // Root would look for its sealing key in /etc/tokeep.
      env: { ...env, XDG_CONFIG_HOME: join(dir, 'config'), XDG_RUNTIME_DIR: dir, CONFIGURATION_DIRECTORY: dir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.on('close', () => this.#running.delete(child));
    return child;
  }

  /** Ends what still runs, at once, and starts nothing more: all that was kept is about to be thrown away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    const ends = [...this.#running].map((child) => once(child, 'close'));
    for (const child of this.#running) child.kill('SIGKILL');
    await Promise.all(ends);
  }
}

/** Waits for its end; `onLine` sees each line of stderr as it comes. */
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
