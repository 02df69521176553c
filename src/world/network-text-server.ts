import type { Errands } from './network-errand.ts';
import { type FromNetwork, mostQuestions } from './network-messages.ts';
import type { ServeText, TextAnswer, TextServer } from './text-server.ts';

type Listening = Extract<FromNetwork, { kind: 'listening' | 'not-listening' }>;
type Answer = (path: string) => Promise<TextAnswer>;

interface Served {
  readonly host: string;
  /** The next process listens where the first one did, also if the system chose the port. */
  readonly port: number;
  readonly answer: Answer;
  /** The number by which the process calls it; another one in each of its lives. */
  id: number;
}

/** A port that another program took while ours was away is tried again. */
const listenAgain = 10_000;

/** Text servers in the network process; the texts come from here. */
export class NetworkTextServers {
  readonly #errands: Errands;
  readonly #served = new Set<Served>();
  readonly #answers = new Map<number, Answer>();
  #answering = 0;
  #life = 0;

  constructor(errands: Errands) {
    this.#errands = errands;
  }

  readonly serve: ServeText = async ({ host, port }, answer): Promise<TextServer> => {
    const said = await this.#listen(host, port, answer);
    if (said.kind === 'not-listening') throw Object.assign(new Error('it cannot listen'), { code: said.code });
    const { id, address } = said;
    const served: Served = { host, port: Number(address.slice(address.lastIndexOf(':') + 1)), answer, id };
    this.#served.add(served);
    return {
      address,
      [Symbol.asyncDispose]: async () => {
        this.#served.delete(served);
        await this.#close(served.id);
      },
    };
  };

  /** A new process has begun. */
  again(): void {
    this.#life += 1;
    for (const served of this.#served) void this.#relisten(served);
  }

  /** False when more is asked than a server can ask. */
  asked({ id, server, path }: Extract<FromNetwork, { kind: 'question' }>): boolean {
    if (this.#answering >= mostQuestions) return false;
    this.#answering += 1;
    const life = this.#life;
    const answer = this.#answers.get(server);
    // One that is closed by now has no answer.
    const text = answer === undefined ? Promise.resolve(null) : answer(path).catch(() => null);
    void text.then((found) => {
      this.#answering -= 1;
      if (life === this.#life) this.#errands.tell({ kind: 'text', id, text: found });
    });
    return true;
  }

  async #relisten(served: Served): Promise<void> {
    const said = await this.#listen(served.host, served.port, served.answer);
    served.id = said.id;
    if (!this.#served.has(served)) return await this.#close(said.id);
    // With its process it is begun anew in any case.
    if (said.kind === 'listening' || said.code === gone) return;
    setTimeout(() => void (this.#served.has(served) ? this.#relisten(served) : undefined), listenAgain).unref();
  }

  #listen(host: string, port: number, answer: Answer): Promise<Listening> {
    return new Promise((resolve) => {
      const failed = (code: string) => {
        this.#answers.delete(id);
        resolve({ kind: 'not-listening', id, code });
      };
      const id = this.#errands.submit({
        message: (id) => ({ kind: 'listen', id, host, port }),
        answered(message) {
          if (message.kind === 'listening') resolve(message);
          else failed(message.kind === 'not-listening' ? message.code : gone);
          return message.kind === 'listening' || message.kind === 'not-listening';
        },
        lost: () => failed(gone),
      });
      this.#answers.set(id, answer);
    });
  }

  #close(server: number): Promise<void> {
    this.#answers.delete(server);
    return new Promise((resolve) => {
      this.#errands.submit({
        message: (id) => ({ kind: 'close', id, server }),
        answered(message) {
          resolve();
          return message.kind === 'closed';
        },
        lost: () => resolve(),
      });
    });
  }
}

/** Not a code of the system's. */
const gone = 'PROCESS_ENDED';
