import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServeText, TextAnswer } from './text-server.ts';

/** The real {@link ServeText}, on node:http. */
export const realServeText: ServeText = async (listen, answer) => {
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, response) => {
      const head = request.method === 'HEAD';
      if (request.method !== 'GET' && !head) return send(response, plain(405, 'only GET is answered here\n'), head);
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      answer(path).then(
        (found) => send(response, found, head),
        () => send(response, plain(500, 'tokeep could not answer; its log may say more\n'), head),
      );
    },
  );
  server.maxConnections = 64;
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(listen.port, listen.host, () => listening.resolve());
  await listening.promise;
  server.removeListener('error', listening.reject);
  const { port, family, address } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
};

const plain = (status: TextAnswer['status'], body: string): TextAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});

function send(response: ServerResponse, { status, contentType, body }: TextAnswer, head: boolean): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(head ? undefined : body);
}
