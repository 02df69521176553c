import { readFile, stat } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Fault } from '../fault/fault.ts';
import type { HttpRequest } from './http.ts';
import { trustedAuthorities } from './trusted-authorities.ts';

/** How long an unused connection is kept; well below what servers keep, so that we close first. */
const idleConnection = 3_000;
/** A CA file is looked at this often; a changed one counts from then on. */
const caFileCheck = 1_000;

/** The agents for one choice of CAs. */
interface SecureAgents {
  readonly pooled: HttpsAgent;
  /** Keeps nothing: every request gets a connection of its own. */
  readonly fresh: HttpsAgent;
  /** Changes when the file does. */
  readonly version: string;
}

interface CaEntry {
  agents: Promise<SecureAgents>;
  checkedAt: number;
}

/**
 * The connections of one program. Proxies come from the environment, for https only: what goes to loopback in plain http must
 * not pass through a proxy elsewhere.
 */
export class HttpAgents {
  readonly #plain = new HttpAgent({ keepAlive: true, timeout: idleConnection, maxFreeSockets: 64 });
  readonly #plainFresh = new HttpAgent({ keepAlive: false });
  readonly #secure = new Map<string, CaEntry>();
  readonly #proxyEnv: NodeJS.ProcessEnv;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#proxyEnv = env as NodeJS.ProcessEnv;
  }

  /** Without waiting where it can be, since it is on the way of every request. Rejects when the CA file cannot be read. */
  for(request: HttpRequest): HttpAgent | Promise<HttpsAgent> {
    if (request.url.protocol === 'http:') return request.connection === 'fresh' ? this.#plainFresh : this.#plain;
    return this.#secureFor(request.caFile).then((agents) => agents[request.connection]);
  }

  async close(): Promise<void> {
    this.#plain.destroy();
    this.#plainFresh.destroy();
    const made = [...this.#secure.values()];
    this.#secure.clear();
    for (const { agents } of made) destroy(await agents.catch(() => undefined));
  }

  #secureFor(caFile: string | undefined): Promise<SecureAgents> {
    const key = caFile ?? '';
    const known = this.#secure.get(key);
    const now = performance.now();
    if (known !== undefined && (caFile === undefined || now - known.checkedAt < caFileCheck)) return known.agents;
    const agents = this.#renewed(caFile, known?.agents);
    this.#secure.set(key, { agents, checkedAt: now });
    agents.catch(() => this.#secure.delete(key));
    return agents;
  }

  async #renewed(caFile: string | undefined, before: Promise<SecureAgents> | undefined): Promise<SecureAgents> {
    const version = caFile === undefined ? '' : await versionOf(caFile);
    const old = await before?.catch(() => undefined);
    if (old?.version === version) return old;
    const secureContext = await trust(caFile);
    // Requests under way end on the old connections; nothing new begins there.
    destroyIdle(old);
    const options = { secureContext, timeout: idleConnection, maxFreeSockets: 64, proxyEnv: this.#proxyEnv };
    return {
      version,
      pooled: new HttpsAgent({ ...options, keepAlive: true }),
      fresh: new HttpsAgent({ ...options, keepAlive: false }),
    };
  }
}

async function versionOf(file: string): Promise<string> {
  const facts = await stat(file).catch((thrown) => unreadable(file, thrown));
  // A FIFO would be waited for without end.
  if (!facts.isFile()) return unreadable(file, Object.assign(new Error('no file'), { code: 'not a plain file' }));
  const { mtimeMs, size, ino } = facts;
  return `${mtimeMs}:${size}:${ino}`;
}

const caFileHint = 'it is named by ca_file and must hold certificates in PEM form';

function unreadable(file: string, thrown: NodeJS.ErrnoException): never {
  throw new Fault('issuer-tls', `the CA file ${file} could not be read (${thrown.code ?? thrown.name})`, {
    hint: caFileHint,
    cause: thrown,
  });
}

/** The CAs of the file, or those of Node, NODE_EXTRA_CA_CERTS and this machine. Parsed once, not for each connection. */
async function trust(caFile: string | undefined): Promise<SecureContext> {
  if (caFile !== undefined) {
    const ca = await readFile(caFile).catch((thrown) => unreadable(caFile, thrown));
    // It would be taken without a word, and then nothing trusted.
    if (!/-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/.test(ca.toString('latin1'))) {
      throw new Fault('issuer-tls', `the CA file ${caFile} holds no certificate`, { hint: caFileHint });
    }
    try {
      return createSecureContext({ ca });
    } catch (thrown) {
      return unreadable(caFile, thrown as NodeJS.ErrnoException);
    }
  }
  return createSecureContext({ ca: trustedAuthorities() });
}

function destroy(agents: SecureAgents | undefined): void {
  agents?.pooled.destroy();
  agents?.fresh.destroy();
}

function destroyIdle(agents: SecureAgents | undefined): void {
  for (const sockets of Object.values(agents?.pooled.freeSockets ?? {})) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
