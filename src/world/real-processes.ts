import { spawn } from 'node:child_process';
import type { CommandCall, CommandEnd, Processes } from './processes.ts';

type Stop = 'timed-out' | 'too-much-output';

function run(call: CommandCall): Promise<CommandEnd> {
  const { promise, resolve } = Promise.withResolvers<CommandEnd>();
  const child = spawn(call.file, [...call.args], {
    env: { ...call.env },
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
  });
  let stopped: Stop | undefined;
  const stop = (why: Stop) => {
    stopped ??= why;
    // The whole group: a child of the child must not outlive the limit either.
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const timer = setTimeout(stop, call.timeout, 'timed-out');
  const aborted = () => stop('timed-out');
  call.signal?.addEventListener('abort', aborted, { once: true });
  const collect = (stream: NodeJS.ReadableStream) => {
    const parts: Buffer[] = [];
    let size = 0;
    stream.on('data', (part: Buffer) => {
      size += part.length;
      if (size > call.maxOutput) stop('too-much-output');
      else parts.push(part);
    });
    return () => Buffer.concat(parts).toString('utf8');
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // EPIPE: the child did not want its input; its exit status tells the rest.
  child.stdin.on('error', () => {});
  child.stdin.end(call.stdin ?? '');
  const end = (result: CommandEnd) => {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', aborted);
    resolve(stopped === undefined ? result : { kind: stopped });
  };
  child.on('error', (error: NodeJS.ErrnoException) => end({ kind: 'not-started', reason: error.code ?? 'unknown' }));
  child.on('close', (status, signal) => {
    const output = { stdout: stdout(), stderr: stderr() };
    end(signal === null ? { kind: 'exited', status: status ?? 0, ...output } : { kind: 'killed', signal, ...output });
  });
  return promise;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

export const realProcesses: Processes = { run };
