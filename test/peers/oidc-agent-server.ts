import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Json = Readonly<Record<string, unknown>>;

export interface OidcAgentServer extends AsyncDisposable {
  readonly socket: string;
  readonly directory: string;
  /** Every request, as it came. */
  readonly requests: readonly Json[];
}

/**
 * An oidc-agent as far as its plain mode goes: one request in one piece, one answer, then it closes. `answer` gives an object,
 * or text to be sent as it is (agents do not escape), or undefined to hang.
 */
export async function startOidcAgent(answer: (request: Json) => Json | string | undefined): Promise<OidcAgentServer> {
  const directory = await mkdtemp(join(tmpdir(), 'oidc-'));
  const socket = join(directory, 'oidc-agent.sock');
  const requests: Json[] = [];
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    connection.on('error', () => {});
    // No framing: what the first read gives is the request.
    connection.once('data', (bytes) => {
      const request = JSON.parse(bytes.toString('utf8')) as Json;
      requests.push(request);
      const reply = answer(request);
      if (reply !== undefined) connection.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  return {
    socket,
    directory,
    requests,
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
