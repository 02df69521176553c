import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../fault/fault.ts';

const prefix = 'unix:';

/** The path of `unix:/run/tokeep/web.sock`; undefined for any other place. */
export const socketPath = (place: string): string | undefined =>
  place.startsWith(`${prefix}/`) ? place.slice(prefix.length) : undefined;

/** Owner and group may connect: the group of the directory is that of the proxy in front. */
const mode = 0o660;

/** Listens on a Unix socket; what a dead server left is removed. Throws Fault `config-invalid` when it cannot. */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  if (await isLive(path)) throw cannot(path, 'another program listens there');
  try {
    const left = await lstat(path).catch(() => undefined);
    if (left?.isSocket() === true) await unlink(path);
    await app.listen({ path });
    await chmod(path, mode);
  } catch (thrown) {
    throw cannot(path, (thrown as NodeJS.ErrnoException).code ?? 'unknown');
  }
}

const cannot = (path: string, why: string): Fault =>
  new Fault('config-invalid', `cannot listen on the socket ${path}: ${why}`, {
    hint: 'its directory has to be there, and be writable for the user of the server',
  });

/** A busy one does not always take a connection at once (EAGAIN); dead is only what refuses it. */
async function isLive(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    return await new Promise<boolean>((resolve) => {
      socket
        .once('connect', () => resolve(true))
        .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EAGAIN'));
    });
  } finally {
    socket.destroy();
  }
}
