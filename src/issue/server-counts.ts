/** What the server counts since it started, for its metrics. Labels are from short lists of ours, never from a request. */
export interface Counted {
  readonly tokens: { readonly grant: string };
  readonly refusals: { readonly endpoint: string; readonly error: string };
  readonly clients_refused: { readonly reason: 'unknown_or_wrong' | 'replayed' };
  readonly rate_limited: { readonly by: 'client' | 'address' };
  readonly revocations: { readonly kind: 'access_token' | 'refresh_token' };
  /** Refresh tokens that came back when they should not have. */
  readonly replays: Readonly<Record<never, never>>;
  readonly introspections: { readonly active: 'yes' | 'no' };
  readonly faults: Readonly<Record<never, never>>;
}

export type CountName = keyof Counted;

export class ServerCounts {
  readonly #counts = new Map<CountName, Map<string, number>>();

  add<N extends CountName>(name: N, labels: Counted[N]): void {
    let known = this.#counts.get(name);
    if (known === undefined) {
      known = new Map();
      this.#counts.set(name, known);
    }
    let text = '';
    for (const label in labels) text += `${text === '' ? '' : ','}${label}="${labels[label]}"`;
    known.set(text, (known.get(text) ?? 0) + 1);
  }

  /** Lines of the Prometheus text format for one counter; the labels as they were counted. */
  samples(name: CountName): readonly (readonly [labels: string, value: number])[] {
    return [...(this.#counts.get(name) ?? [])];
  }
}
