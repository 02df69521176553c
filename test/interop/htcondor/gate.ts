import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server on loopback that can be shut: who asks then is let in, and heard, and what they say goes nowhere. */
export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** Settles when somebody has asked something at the shut gate. */
  shut(): Promise<void>;
  /** Who waits at the gate is sent away; those who come from now on get through. */
  open(): void;
}

export async function startGate(target: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let heard: PromiseWithResolvers<void> | undefined;
  const server = createServer((near) => {
    sockets.add(near);
    near.on('close', () => sockets.delete(near)).on('error', () => {});
    const far = connect(target, '127.0.0.1');
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('data', (part) => {
      if (heard === undefined) far.write(part);
      else heard.resolve();
    });
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sendAway = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut() {
      heard = Promise.withResolvers<void>();
      return heard.promise;
    },
    open() {
      sendAway();
      heard = undefined;
    },
    async [Symbol.asyncDispose]() {
      sendAway();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
