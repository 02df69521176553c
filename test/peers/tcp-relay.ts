import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface TcpRelay extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  /** All bytes that came from those who connected. */
  asked(): Buffer;
  /** All bytes that the other side answered. */
  answered(): Buffer;
  /** Settles when an answer was held back. */
  readonly held: Promise<void>;
}

export interface RelayOptions {
  /**
   * Looked at when an answer comes: what that connection asked until then. Once it says yes, that answer and all that would follow on the
   * connection are held back for good.
   */
  readonly holdsBack?: (asked: string) => boolean;
}

/** Stands between a program and a server, hears what they say, and can keep an answer to itself. */
export async function tcpRelay(target: NetConnectOpts, { holdsBack }: RelayOptions = {}): Promise<TcpRelay> {
  const open = new Set<Socket>();
  const asked: Buffer[] = [];
  const answered: Buffer[] = [];
  const held = Promise.withResolvers<void>();
  const server = createServer((near) => {
    const far = connect(target);
    let said = '';
    let silent = false;
    near.on('data', (part) => {
      asked.push(part);
      if (holdsBack !== undefined) said += part.toString('latin1');
      far.write(part);
    });
    far.on('data', (part) => {
      answered.push(part);
      silent ||= holdsBack?.(said) ?? false;
      if (silent) held.resolve();
      else near.write(part);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => {});
      one.on('end', () => other.end());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => Buffer.concat(asked),
    answered: () => Buffer.concat(answered),
    held: held.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
