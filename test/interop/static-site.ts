import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { Surroundings } from './surroundings.ts';

/** Any web server that shows a directory over https, as GitHub Pages or nginx would; on loopback, on a free port. */
export interface StaticSite extends AsyncDisposable {
  /** `https://localhost:PORT`. */
  readonly url: string;
  /** The paths that were asked for since the last call of this. */
  asked(): readonly string[];
}

export async function startStaticSite(
  directory: string,
  { certFile, keyFile }: Pick<Surroundings, 'certFile' | 'keyFile'>,
): Promise<StaticSite> {
  let asked: string[] = [];
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const server = createServer({ cert, key }, async (request, response) => {
    const path = new URL(request.url ?? '/', 'https://localhost').pathname;
    asked.push(path);
    const body = await readFile(join(directory, normalize(path))).catch(() => undefined);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    asked() {
      const before = asked;
      asked = [];
      return before;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
