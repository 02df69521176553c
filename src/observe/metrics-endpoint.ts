import { basename, dirname } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { ServeText, TextAnswer, TextServer } from '../world/text-server.ts';
import type { World } from '../world/world.ts';

export interface EndpointSources {
  /** The text of /metrics. */
  readonly metrics: () => Promise<string>;
  /** Does the main loop still turn? /healthz; what the watchdog is told as well. */
  readonly alive: () => boolean;
  /** Has the first pass been made, and are we not stopping? /readyz. */
  readonly ready: () => boolean;
}

/** Serves /metrics, /healthz and /readyz on `[HOST:]PORT` (127.0.0.1 unless told). Throws `config-invalid` when it cannot. */
export async function serveMetrics(serve: ServeText, listen: string, sources: EndpointSources): Promise<TextServer> {
  const place = parseListen(listen);
  try {
    return await serve(place, (path) => answer(path, sources));
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('config-invalid', `metrics cannot listen on ${place.host}:${place.port}: ${listenReason(code)}`, {
      hint: 'choose another port in metrics.listen or --metrics',
    });
  }
}

function parseListen(listen: string): { readonly host: string; readonly port: number } {
  const parts = /^(?:(\[[0-9a-fA-F:]+\]|[^:\s]+):)?(\d{1,5})$/.exec(listen);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535) {
    throw new Fault('config-invalid', `the metrics address is HOST:PORT, not ${JSON.stringify(listen)}`, {
      hint: 'for example 127.0.0.1:9464',
    });
  }
  return { host: (parts[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

function listenReason(code: string): string {
  if (code === 'EADDRINUSE') return 'another program listens there';
  if (code === 'EACCES') return 'that port is for root only';
  return code === 'EADDRNOTAVAIL' ? 'this machine has no such address' : code;
}

async function answer(path: string, { metrics, alive, ready }: EndpointSources): Promise<TextAnswer> {
  switch (path) {
    case '/metrics':
      return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body: await metrics() };
    case '/healthz':
      return yesOrNo(alive());
    case '/readyz':
      return yesOrNo(ready());
    default:
      return { ...yesOrNo(false), status: 404, body: 'there are /metrics, /healthz and /readyz\n' };
  }
}

const yesOrNo = (yes: boolean): TextAnswer => ({
  status: yes ? 200 : 503,
  contentType: 'text/plain; charset=utf-8',
  body: yes ? 'ok\n' : 'no\n',
});

/**
 * Writes the metrics for node_exporter's textfile collector: whole or not at all, readable by everybody. The name has to end
 * in `.prom`. Throws a Fault `config-invalid` when the place does not take it.
 */
export async function writeTextfile(world: World, path: string, text: string): Promise<void> {
  const name = basename(path);
  // The collector reads *.prom only, so that it never sees the file under its first name.
  const temporary = `.${name}.${world.random.id()}.new`;
  try {
    await using folder = disposable(await world.files.openDirectory(dirname(path)));
    await replaceFile(folder.it, name, { bytes: Buffer.from(text, 'utf8'), temporary, mode: 0o644, keeps: 'whole' });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('config-invalid', `the metrics file ${path} could not be written (${code})`, { cause: thrown });
  }
}

const disposable = <T extends { close(): Promise<void> }>(it: T) => ({ it, [Symbol.asyncDispose]: () => it.close() });
