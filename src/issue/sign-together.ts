import type { Minted, OpenIssuer } from '../mint/issuer.ts';
import type { MintRequest } from '../mint/policy.ts';
import { PolicyRefusal } from '../mint/policy-refusal.ts';
import type { Session } from '../store/database.ts';
import type { Client } from './client.ts';
import type { ClientTable } from './client-table.ts';
import { type Refusal, refusal } from './token-grant.ts';

export type Together =
  | { readonly kind: 'signed'; readonly minted: Minted }
  | { readonly kind: 'client-changed' }
  | Refusal;

interface Job {
  readonly client: Client;
  readonly request: MintRequest;
  readonly done: (outcome: Together) => void;
  readonly failed: (thrown: unknown) => void;
}

/** In one transaction, at most, so that none waits for an endless stream of others. */
const largestGroup = 500;

/**
 * Signs what is asked for at the same moment in one transaction: one sync, and one look at each client, for all of them. Only for
 * tokens that nothing else is written for, since a group stands or falls as one.
 */
export class SignTogether {
  readonly #issuer: OpenIssuer;
  readonly #clients: ClientTable;
  #waiting: Job[] = [];
  #running = false;

  constructor(issuer: OpenIssuer, clients: ClientTable) {
    this.#issuer = issuer;
    this.#clients = clients;
  }

  async sign(client: Client, request: MintRequest): Promise<Together> {
    const { promise, resolve, reject } = Promise.withResolvers<Together>();
    this.#waiting.push({ client, request, done: resolve, failed: reject });
    if (!this.#running) void this.#run();
    return await promise;
  }

  /** Never rejects: each job is told of its own fate. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const jobs: Job[] = [];
      try {
        const outcomes = await this.#issuer.database.write((session) => {
          // Taken as late as this, so that whatever came until the transaction began goes along; more of it if that is begun again.
          jobs.push(...this.#waiting.splice(0, largestGroup - jobs.length));
          return this.#signAll(session, jobs);
        });
        for (const [at, { done }] of jobs.entries()) done(outcomes[at] as Together);
      } catch (thrown) {
        // None, if not even the transaction could be begun.
        const concerned = jobs.length > 0 ? jobs : this.#waiting.splice(0);
        for (const { failed } of concerned) failed(thrown);
      }
    }
    this.#running = false;
  }

  /** Rows of clients first, the chain of the audit log last: the order in which everybody takes them, so that nobody waits in a circle. */
  async #signAll(session: Session, jobs: readonly Job[]): Promise<readonly Together[]> {
    const asBefore = new Map<Client, boolean>();
    for (const { client } of jobs) {
      if (!asBefore.has(client)) asBefore.set(client, await this.#clients.holds(session, client));
    }
    const outcomes: Together[] = [];
    for (const { client, request } of jobs) {
      outcomes.push(asBefore.get(client) === true ? await this.#signOne(session, request) : { kind: 'client-changed' });
    }
    return outcomes;
  }

  /** The policy was changed since it was asked, or the token became too long: nothing is written then, and the issuer has noted it. */
  async #signOne(session: Session, request: MintRequest): Promise<Together> {
    try {
      return { kind: 'signed', minted: await this.#issuer.mintIn(session, request) };
    } catch (thrown) {
      if (thrown instanceof PolicyRefusal) return refusal('access_denied', thrown.refused.why);
      throw thrown;
    }
  }
}
