import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { CommandCall, CommandEnd, Processes } from './processes.ts';

type Stop = 'timed-out' | 'too-much-output';

/** How long the output of a program is waited for after its end: what it left in the background may hold it open for ever. */
const lastWords = 500;

function run(call: CommandCall): Promise<CommandEnd> {
  const { promise, resolve } = Promise.withResolvers<CommandEnd>();
  const child = start(call);
  if ('kind' in child) return Promise.resolve(child);
  let stopped: Stop | undefined;
  const hangUp = () => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const stop = (why: Stop) => {
    stopped ??= why;
    // The whole group: a child of the child must not outlive the limit either.
    if (child.pid !== undefined) killGroup(child.pid);
    hangUp();
  };
  const timer = setTimeout(stop, call.timeout, 'timed-out');
  const aborted = () => stop('timed-out');
  call.signal?.addEventListener('abort', aborted, { once: true });
  const overflow = () => stop('too-much-output');
  const stdout = collect(child.stdout, call.maxOutput, overflow);
  const stderr = collect(child.stderr, call.maxOutput, overflow);
  // EPIPE: the child did not want its input; its exit status tells the rest.
  child.stdin.on('error', () => {});
  child.stdin.end(call.stdin ?? '');
  const end = (result: CommandEnd) => {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', aborted);
    resolve(stopped === undefined ? result : { kind: stopped });
  };
  child.on('error', (error: NodeJS.ErrnoException) => end({ kind: 'not-started', reason: error.code ?? 'unknown' }));
  child.on('exit', () => setTimeout(hangUp, lastWords).unref());
  child.on('close', (status, signal) => {
    const output = { stdout: stdout(), stderr: stderr() };
    end(signal === null ? { kind: 'exited', status: status ?? 0, ...output } : { kind: 'killed', signal, ...output });
  });
  if (call.signal?.aborted) aborted();
  return promise;
}

/** Node throws for some reasons (E2BIG, a NUL among the arguments) and emits others; here both are an end. */
function start(call: CommandCall): ChildProcessWithoutNullStreams | Extract<CommandEnd, { kind: 'not-started' }> {
  try {
    const child = spawn(call.file, [...call.args], {
      env: { ...call.env },
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
    });
    // Without descriptors left there are no pipes (EMFILE), whatever the type says.
    if (child.stdout !== undefined) return child;
    child.on('error', () => {});
    return { kind: 'not-started', reason: 'EMFILE' };
  } catch (thrown) {
    return { kind: 'not-started', reason: (thrown as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

/** Gathers output up to a limit; what it returns gives the text so far. */
function collect(stream: NodeJS.ReadableStream, limit: number, overflow: () => void): () => string {
  const parts: Buffer[] = [];
  let size = 0;
  stream.on('data', (part: Buffer) => {
    size += part.length;
    if (size > limit) overflow();
    else parts.push(part);
  });
  return () => Buffer.concat(parts).toString('utf8');
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

export const realProcesses: Processes = { run };
