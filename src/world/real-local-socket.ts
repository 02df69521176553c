import { createConnection } from 'node:net';
import { epoch } from '../token/time.ts';
import type { LocalSocketCall, LocalSocketEnd, LocalSockets } from './local-socket.ts';

function ask(call: LocalSocketCall): Promise<LocalSocketEnd> {
  const { promise, resolve } = Promise.withResolvers<LocalSocketEnd>();
  const sentAt = epoch(Date.now());
  const socket = createConnection({ path: call.path });
  const end = (result: LocalSocketEnd) => {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', stop);
    socket.destroy();
    resolve(result);
  };
  const stop = () => end({ kind: 'timed-out' });
  const timer = setTimeout(stop, call.timeout);
  call.signal?.addEventListener('abort', stop, { once: true });
  const parts: Buffer[] = [];
  let size = 0;
  socket.on('connect', () => socket.write(call.message));
  socket.on('data', (part: Buffer) => {
    size += part.length;
    parts.push(part);
    if (size > call.maxBytes) end({ kind: 'too-much-output' });
  });
  socket.on('end', () => {
    const text = Buffer.concat(parts).toString('utf8');
    end({ kind: 'answer', text, sentAt, receivedAt: epoch(Date.now()) });
  });
  socket.on('error', (error: NodeJS.ErrnoException) => end({ kind: 'no-connection', code: error.code ?? 'unknown' }));
  if (call.signal?.aborted) stop();
  return promise;
}

export const realLocalSockets: LocalSockets = { ask };
