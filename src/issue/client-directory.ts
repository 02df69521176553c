import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { IssuerPolicy } from '../mint/policy.ts';
import { type Mono, seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import { boundsOf, type Client } from './client.ts';
import type { ClientTable } from './client-table.ts';

/** A client with what every request of it needs, made once. */
export interface KnownClient {
  readonly client: Client;
  readonly bounds: IssuerPolicy;
  readonly secrets: readonly { readonly hash: Buffer; readonly until: number }[];
  readonly key: KeyObject | undefined;
}

/** How long what was read is believed without looking again. What signs compares the generation within its transaction besides. */
const fresh = seconds(1);
const mostKnown = 10_000;

/** Clients as they were at most a second ago. */
export class ClientDirectory {
  readonly #table: ClientTable;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #known = new Map<string, { readonly known: KnownClient; readonly at: Mono }>();

  constructor(table: ClientTable, clock: Pick<Clock, 'monotonic'>) {
    this.#table = table;
    this.#clock = clock;
  }

  /** What is remembered of it, if that is young enough. */
  remembered(id: string): KnownClient | undefined {
    const found = this.#known.get(id);
    if (found === undefined || this.#clock.monotonic() - found.at >= fresh) return undefined;
    return found.known;
  }

  /** Read from the database now. */
  async look(id: string): Promise<KnownClient | undefined> {
    const at = this.#clock.monotonic();
    const client = await this.#table.find(id);
    if (client === undefined) {
      this.#known.delete(id);
      return undefined;
    }
    const before = this.#known.get(id)?.known;
    const known = before?.client.generation === client.generation ? before : prepared(client);
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(id, { known, at });
    return known;
  }
}

function prepared(client: Client): KnownClient {
  const { proof } = client;
  return {
    client,
    bounds: boundsOf(client),
    secrets:
      proof.kind === 'secret'
        ? proof.secrets.map(({ sha256, until }) => ({
            hash: Buffer.from(sha256, 'base64url'),
            until: until ?? Number.POSITIVE_INFINITY,
          }))
        : [],
    key: proof.kind === 'key' ? createPublicKey({ key: proof.jwk as unknown as JsonWebKey, format: 'jwk' }) : undefined,
  };
}
