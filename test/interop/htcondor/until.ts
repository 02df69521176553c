import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  /** In seconds. */
  readonly within?: number;
  /** What a person wants to see where it did not come to pass. */
  readonly explain?: () => Promise<string> | string;
}

/**
 * Looks until there is something to see. HTCondor's daemons tell nobody when a state has changed, so that looking is the only way;
 * nothing depends on how often.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { within = 60, explain = () => '' }: Patience = {},
): Promise<T> {
  const end = performance.now() + within * 1000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`waited ${within} s in vain: ${what}\n${await explain()}`);
    await pause(150);
  }
}
