import { type ChildProcess, spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import type { AttachedCall, AttachedEnd } from './attached-process.ts';

const passedOn: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
/** A terminal sends these to all processes in its foreground, so also to the command. */
const keys: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** The real {@link import('./attached-process.ts').RunAttached}. */
export function runAttached(call: AttachedCall): Promise<AttachedEnd> {
  const { promise, resolve } = Promise.withResolvers<AttachedEnd>();
  const [file = '', ...args] = call.argv;
  let child: ChildProcess | undefined;
  const passOn = (signal: NodeJS.Signals) => void child?.kill(signal);
  const leaveToTerminal = () => {};
  const onKey = isatty(0) ? leaveToTerminal : passOn;
  const end = (result: AttachedEnd) => {
    for (const signal of passedOn) process.off(signal, passOn);
    for (const signal of keys) process.off(signal, onKey);
    resolve(result);
  };
  // Before the command begins: a signal that comes as soon as it runs must not end us and leave it behind. Handlers run between
  // the turns of the event loop, so that `child` is there by then.
  for (const signal of passedOn) process.on(signal, passOn);
  for (const signal of keys) process.on(signal, onKey);
  try {
    child = spawn(file, args, { env: { ...call.env }, stdio: 'inherit', shell: false });
  } catch (thrown) {
    // Node throws for some reasons (E2BIG) and emits others.
    end({ kind: 'not-started', reason: (thrown as NodeJS.ErrnoException).code ?? 'unknown' });
    return promise;
  }
  const { pid } = child;
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (pid === undefined) end({ kind: 'not-started', reason: error.code ?? 'unknown' });
  });
  child.on('exit', (status, signal) => {
    end(signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'killed', signal });
  });
  return promise;
}
