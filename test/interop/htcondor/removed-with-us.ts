import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A process that waits for the end of ours, SIGKILL included, and removes the directory: never across file systems, and not as long
 * as something is mounted below it.
 */
export function removedWithUs(directory: string): AsyncDisposable {
  const script = [
    'cat >/dev/null',
    'for try in 1 2 3 4 5 6 7 8 9 10; do grep -qF " $0/" /proc/self/mounts || break; sleep 0.2; done',
    'grep -qF " $0/" /proc/self/mounts && { echo "htcondor: something is mounted below $0, so it stays" >&2; exit 1; }',
    'for try in 1 2 3 4 5; do rm -rf --one-file-system "$0" 2>/dev/null && exit; sleep 0.5; done',
    'exec rm -rf --one-file-system "$0"',
  ].join('\n');
  const guard = spawn('/bin/sh', ['-c', script, directory], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  guard.unref();
  return {
    async [Symbol.asyncDispose]() {
      guard.ref();
      const gone = once(guard, 'exit');
      guard.stdin.end();
      await gone;
    },
  };
}
