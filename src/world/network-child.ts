import type { Duplex } from 'node:stream';
import { asFault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import type { Http, HttpAnswer, HttpNoAnswer } from './http.ts';
import { FrameReader, frame } from './network-frames.ts';
import {
  type FaultInWords,
  type FromNetwork,
  type MailInWords,
  mostQuestions,
  type RequestInWords,
  type ToNetwork,
} from './network-messages.ts';
import { realHttp } from './real-http.ts';
import { realMailer } from './real-mailer.ts';
import { realServeText } from './real-text-server.ts';
import type { TextAnswer, TextServer } from './text-server.ts';

type Of<K extends ToNetwork['kind']> = Extract<ToNetwork, { kind: K }>;

/** The network process from within: does what the pipe asks for, until the pipe ends. */
export class NetworkChild {
  readonly #pipe: Duplex;
  #http: Http | undefined;
  readonly #underWay = new Map<number, AbortController>();
  readonly #servers = new Map<number, Promise<TextServer>>();
  readonly #questions = new Map<number, (text: TextAnswer | null) => void>();
  #asked = 0;

  constructor(pipe: Duplex) {
    this.#pipe = pipe;
  }

  /** Resolves when the other side is gone. */
  async run(): Promise<void> {
    const reader = new FrameReader();
    this.#pipe.on('data', (piece: Buffer) => {
      for (const message of reader.take(piece)) this.#obey(message as ToNetwork);
    });
    const ended = Promise.withResolvers<void>();
    for (const event of ['end', 'close', 'error']) this.#pipe.once(event, () => ended.resolve());
    this.#say({ kind: 'ready' });
    await ended.promise;
  }

  #say(message: FromNetwork): void {
    this.#pipe.write(frame(message));
  }

  #obey(message: ToNetwork): void {
    switch (message.kind) {
      case 'begin':
        this.#http = realHttp(message.env);
        return;
      case 'send':
        return void this.#send(message.id, message.request);
      case 'abort':
        return void this.#underWay.get(message.id)?.abort();
      case 'mail':
        return void this.#mail(message.id, message.mail);
      case 'listen':
        return void this.#listen(message);
      case 'close':
        return void this.#close(message);
      case 'text':
        this.#questions.get(message.id)?.(message.text);
        this.#questions.delete(message.id);
    }
  }

  async #send(id: number, { url, ...rest }: RequestInWords): Promise<void> {
    const breaker = new AbortController();
    this.#underWay.set(id, breaker);
    const result = await (this.#http as Http).send({ ...rest, url: new URL(url), signal: breaker.signal });
    this.#underWay.delete(id);
    this.#say(inWords(id, result));
  }

  async #mail(id: number, { login, ...rest }: MailInWords): Promise<void> {
    const known =
      login === undefined ? {} : { login: { user: login.user, password: new Secret('password', login.password) } };
    try {
      await realMailer.send({ ...rest, ...known });
      this.#say({ kind: 'mailed', id });
    } catch (thrown) {
      this.#say({ kind: 'not-mailed', id, fault: faultInWords(thrown) });
    }
  }

  async #listen({ id, host, port }: Of<'listen'>): Promise<void> {
    const server = realServeText({ host, port }, (path) => this.#ask(id, path));
    this.#servers.set(id, server);
    try {
      this.#say({ kind: 'listening', id, address: (await server).address });
    } catch (thrown) {
      this.#servers.delete(id);
      this.#say({ kind: 'not-listening', id, code: (thrown as NodeJS.ErrnoException).code ?? 'UNKNOWN' });
    }
  }

  async #close({ id, server }: Of<'close'>): Promise<void> {
    await (await this.#servers.get(server))?.[Symbol.asyncDispose]();
    this.#servers.delete(server);
    this.#say({ kind: 'closed', id });
  }

  async #ask(server: number, path: string): Promise<TextAnswer> {
    // One connection may ask many times at once, and one that was given up leaves its question.
    if (this.#questions.size >= mostQuestions) throw new Error('too much is asked');
    const { promise, resolve } = Promise.withResolvers<TextAnswer | null>();
    const id = this.#asked++;
    this.#questions.set(id, resolve);
    this.#say({ kind: 'question', id, server, path });
    const text = await promise;
    if (text === null) throw new Error('there is no answer');
    return text;
  }
}

function inWords(id: number, result: HttpAnswer | HttpNoAnswer): FromNetwork {
  if (result.kind === 'no-answer')
    return { kind: 'no-answer', id, sent: result.sent, fault: faultInWords(result.fault) };
  const headers = Object.entries(result.headers).filter(
    (header): header is [string, string] => header[1] !== undefined,
  );
  return { kind: 'answer', id, status: result.status, headers: Object.fromEntries(headers), body: result.body };
}

function faultInWords(thrown: unknown): FaultInWords {
  const { code, message, hint } = asFault(thrown, 'the network process');
  const words = hint === undefined ? {} : { hint: hint.slice(0, 2_000) };
  return { code: code as FaultInWords['code'], message: message.slice(0, 2_000), ...words };
}
