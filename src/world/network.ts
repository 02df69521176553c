import { Fault } from '../fault/fault.ts';
import type { Http } from './http.ts';
import type { Mailer } from './mailer.ts';
import type { Errand, Errands } from './network-errand.ts';
import { networkHttp } from './network-http.ts';
import { networkMailer } from './network-mailer.ts';
import type { FromNetwork, ToNetwork } from './network-messages.ts';
import { type NetworkProcess, type NetworkProcessOptions, startNetworkProcess } from './network-process.ts';
import { NetworkTextServers } from './network-text-server.ts';
import type { ServeText } from './text-server.ts';

export interface NetworkOptions extends NetworkProcessOptions {
  readonly onStart: (pid: number) => void;
  /** It ended by itself; it is started again after `pause` milliseconds. */
  readonly onEnd: (end: { readonly pid: number | undefined; readonly reason: string; readonly pause: number }) => void;
}

/** Another process that does all work on the network, through ports that are the same as without it. */
export interface Network {
  readonly http: Http;
  readonly mailer: Mailer;
  readonly serveText: ServeText;
  close(): Promise<void>;
}

const firstPause = 100;
const longestPause = 60_000;
/** Whoever lived this long did not end because of how it was started. */
const settled = 60_000;

/** A network process that may still be on its way: what is asked of it waits. */
export interface BegunNetwork extends Network {
  /** Rejects with `config-invalid` when the first process does not get ready; it is closed then. */
  readonly ready: Promise<void>;
}

/**
 * Starts the network process, and starts it again, with a growing pause, as often as it ends. What was handed to one that ended is
 * answered `perhaps`; what was not waits for the next one, within its time. Throws `config-invalid` for root as its user.
 */
export function beginNetwork(options: NetworkOptions): BegunNetwork {
  if (options.user?.uid === 0) throw new Fault('config-invalid', 'the network process is not to be root');
  const link = new Link(options);
  const ready = begun(link, options);
  // Whoever waits for it hears of it.
  ready.catch(() => {});
  return { ...link.network, ready };
}

async function begun(link: Link, { program }: NetworkOptions): Promise<void> {
  const failed = await link.begin();
  if (failed === undefined) return;
  await link.close();
  throw new Fault('config-invalid', `the process for the network does not start: ${failed}`, {
    hint: `may its user run ${process.execPath} and read ${program}? No directory above may be closed to others`,
  });
}

/** Our end of the pipe, over all lives of the process behind it. */
class Link implements Errands {
  readonly #options: NetworkOptions;
  readonly #servers = new NetworkTextServers(this);
  readonly #waiting = new Map<number, Errand>();
  readonly #handedOver = new Map<number, Errand>();
  readonly network: Network;
  #process: NetworkProcess | undefined;
  #ready = false;
  #everReady = false;
  #closed = false;
  #ids = 0;
  #pause = firstPause;
  #restart: NodeJS.Timeout | undefined;
  readonly #firstReady = Promise.withResolvers<undefined>();

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.network = {
      http: networkHttp(this),
      mailer: networkMailer(this),
      serveText: this.#servers.serve,
      close: () => this.close(),
    };
  }

  /** Why the first process ended before it was ready, or undefined. */
  async begin(): Promise<string | undefined> {
    const { ended } = this.#start();
    return await Promise.race([this.#firstReady.promise, ended]);
  }

  submit(errand: Errand): number {
    this.#ids += 1;
    const id = this.#ids;
    if (this.#closed) queueMicrotask(() => errand.lost(false));
    else if (this.#ready) this.#handOver(id, errand);
    else this.#waiting.set(id, errand);
    return id;
  }

  withdraw(id: number): boolean {
    return this.#waiting.delete(id);
  }

  tell(message: ToNetwork): void {
    if (this.#ready) this.#process?.say(message);
  }

  condemn(reason: string): void {
    this.#process?.condemn(reason);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    this.#process?.end();
    await this.#process?.ended;
    this.#lose(this.#waiting, false);
  }

  #start(): NetworkProcess {
    const began = performance.now();
    const process = startNetworkProcess(this.#options, (message) => this.#heard(process, message));
    this.#process = process;
    void process.ended.then((reason) => this.#ended(process.pid, reason, performance.now() - began));
    return process;
  }

  #handOver(id: number, errand: Errand): void {
    this.#handedOver.set(id, errand);
    this.#process?.say(errand.message(id));
  }

  #heard(process: NetworkProcess, message: FromNetwork): void {
    if (message.kind === 'ready') {
      if (this.#ready) process.condemn('it began twice');
      else this.#begun(process);
      return;
    }
    if (!this.#makesSense(message)) process.condemn('it answered what it was not asked');
  }

  #makesSense(message: Exclude<FromNetwork, { kind: 'ready' }>): boolean {
    if (!this.#ready) return false;
    if (message.kind === 'question') return this.#servers.asked(message);
    const errand = this.#handedOver.get(message.id);
    this.#handedOver.delete(message.id);
    return errand?.answered(message) === true;
  }

  #begun(process: NetworkProcess): void {
    process.say({ kind: 'begin', env: proxiesOf(this.#options.env) });
    this.#ready = true;
    this.#everReady = true;
    this.#firstReady.resolve(undefined);
    this.#options.onStart(process.pid ?? 0);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [id, errand] of waiting) this.#handOver(id, errand);
    this.#servers.again();
  }

  #ended(pid: number | undefined, reason: string, lived: number): void {
    const began = this.#ready;
    this.#ready = false;
    this.#lose(this.#handedOver, true);
    if (this.#closed || !this.#everReady) return;
    if (began && lived > settled) this.#pause = firstPause;
    this.#options.onEnd({ pid, reason, pause: this.#pause });
    this.#restart = setTimeout(() => this.#start(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, longestPause);
  }

  #lose(errands: Map<number, Errand>, handedOver: boolean): void {
    const lost = [...errands.values()];
    errands.clear();
    for (const errand of lost) errand.lost(handedOver);
  }
}

/** Both spellings, as curl and Node read them. */
function proxiesOf(env: NetworkOptions['env']): Record<string, string> {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
