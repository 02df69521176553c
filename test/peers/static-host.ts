import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { CertificateFiles } from './throw-away-ca.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A web server for files, as nginx would be set up: types by name, an hour of caching, two slashes as one. */
export interface StaticHost extends AsyncDisposable {
  /** `https://localhost:PORT` */
  readonly origin: string;
  /** Everything that was asked for, in order. */
  readonly asked: readonly string[];
  /** Answers of its own instead of files, by path. */
  readonly instead: Map<string, Partial<Answer>>;
  mergeSlashes: boolean;
}

export async function staticHost(directory: string, { certFile, keyFile }: CertificateFiles): Promise<StaticHost> {
  const asked: string[] = [];
  const host = { asked, instead: new Map<string, Partial<Answer>>(), mergeSlashes: true };
  async function answer(path: string): Promise<Answer> {
    const usual = { 'content-type': 'application/json', 'cache-control': 'max-age=3600' };
    const own = host.instead.get(path);
    const name = host.mergeSlashes ? path.replaceAll(/\/+/g, '/') : path;
    const found = name.includes('//')
      ? undefined
      : await readFile(join(directory, normalize(name)), 'utf8').catch(() => {});
    const file = found === undefined ? { status: 404, body: 'no such file' } : { status: 200, body: found };
    return { headers: usual, ...file, ...own };
  }
  const [cert, key] = [await readFile(certFile), await readFile(keyFile)];
  const server = createServer({ cert, key }, (request, response) => {
    const path = request.url ?? '/';
    asked.push(path);
    answer(path).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      () => response.destroy(),
    );
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  return Object.assign(host, {
    origin,
    async [Symbol.asyncDispose]() {
      const { promise, resolve: closed } = Promise.withResolvers<void>();
      server.close(() => closed());
      server.closeAllConnections();
      await promise;
    },
  });
}
