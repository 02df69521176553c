import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from './until.ts';

/** Starts the pool's web login as root would; it becomes condor before it listens. */
export async function startWeb(root: string, port: number): Promise<AsyncDisposable> {
  const log = join(root, 'var/log/condor/web.out');
  const output = openSync(log, 'a');
  const child = spawn('chroot', [root, '/usr/bin/tokeep', 'credmon', 'web'], { stdio: ['ignore', output, output] });
  closeSync(output);
  const ended = once(child, 'exit');
  await until('the web login listens', () => {
    if (child.exitCode !== null)
      throw new Error(`tokeep credmon web ended with ${child.exitCode}:\n${readFileSync(log, 'utf8')}`);
    return isOpen(port);
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
