import { Fault } from '../../src/fault/fault.ts';
import type { Clock } from '../../src/world/clock.ts';
import type { Http, HttpAnswer, HttpNoAnswer, HttpRequest } from '../../src/world/http.ts';
import { issuer, jwksOf, type TestKey } from './signing.ts';

export const metadataUrl = `${issuer}/.well-known/openid-configuration`;
export const jwksUrl = `${issuer}/keys`;

type Scripted = Pick<HttpAnswer, 'status' | 'body'> & { readonly headers?: HttpAnswer['headers'] };

export const answer = (body: unknown, headers: HttpAnswer['headers'] = {}, status = 200): Scripted => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** An issuer's site on a scripted network: each URL has its answer; `down` is no connection, `hanging` waits until it is let go. */
export class KeyPeer implements Http {
  readonly asked: HttpRequest[] = [];
  readonly #clock: Clock;
  readonly #answers = new Map<string, Scripted>();
  #state: 'up' | 'down' = 'up';
  #held: (() => void)[] | undefined;

  constructor(clock: Clock, ...keys: readonly TestKey[]) {
    this.#clock = clock;
    this.metadata({});
    this.publish(...keys);
  }

  metadata(change: Readonly<Record<string, unknown>>): void {
    this.put(metadataUrl, answer({ issuer, jwks_uri: jwksUrl, ...change }));
  }

  publish(...keys: readonly TestKey[]): void {
    this.put(jwksUrl, answer(jwksOf(...keys)));
  }

  put(url: string, scripted: Scripted): void {
    this.#answers.set(url, scripted);
  }

  down(): void {
    this.#state = 'down';
  }

  up(): void {
    this.#state = 'up';
  }

  /** From now on requests wait. */
  hang(): void {
    this.#held = [];
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  /** Requests for the key set, which is one for each fetch that got so far. */
  get fetches(): number {
    return this.asked.filter(({ url }) => url.href === jwksUrl).length;
  }

  async send(request: HttpRequest): Promise<HttpAnswer | HttpNoAnswer> {
    this.asked.push(request);
    const sentAt = this.#clock.now();
    await this.#release();
    if (this.#state === 'down') {
      const fault = new Fault('issuer-unreachable', `no connection to ${request.url.origin}`);
      return { kind: 'no-answer', sent: 'no', sentAt, fault };
    }
    const scripted = this.#answers.get(request.url.href) ?? answer('not here', {}, 404);
    return { kind: 'answer', headers: {}, ...scripted, sentAt, receivedAt: this.#clock.now() };
  }

  async close(): Promise<void> {}

  #release(): Promise<void> {
    if (this.#held === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    return promise;
  }
}
