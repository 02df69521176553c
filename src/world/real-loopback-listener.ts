import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenOnLoopback } from './loopback-listener.ts';

/** A browser that opens a connection and says nothing must not keep the login from ending. */
const patience = { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384 };

export const listenOnLoopback: ListenOnLoopback = async (answer) => {
  const server = createServer(patience, (request, response) => {
    const { status, html } = answer({
      method: request.method ?? '',
      target: request.url ?? '',
      host: request.headers.host ?? '',
    });
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      connection: 'close',
    });
    response.end(html);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // The page that was just sent gets out; whoever still holds a connection after that does not hold us.
      setImmediate(() => server.closeAllConnections());
      await closed;
    },
  };
};
