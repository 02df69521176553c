import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fastify from 'fastify';
import { listenOnSocket } from '../../src/serve/unix-socket.ts';

const server = (path: string) => `
  require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log('listens'));`;

test('the socket of a server that is too busy to answer is not taken from it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'unix-socket-'));
  const path = join(directory, 'web.sock');
  const busy = spawn(process.execPath, ['-e', server(path)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting: Socket[] = [];
  const app = fastify();
  try {
    await once(busy.stdout, 'data');
    const { ino } = await stat(path);
    busy.kill('SIGSTOP');
    for (let code: unknown; code !== 'EAGAIN'; ) {
      const socket = connect(path);
      waiting.push(socket);
      code = await new Promise((resolve) => {
        socket
          .once('connect', () => resolve('taken'))
          .once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      });
    }
    await assert.rejects(listenOnSocket(app, path), /another program listens there/);
    assert.equal((await stat(path)).ino, ino);
  } finally {
    for (const socket of waiting) socket.destroy();
    busy.kill('SIGKILL');
    await app.close();
    await rm(directory, { recursive: true });
  }
});
