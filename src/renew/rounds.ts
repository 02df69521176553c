import type { Config } from '../config/config.ts';
import type { WishName } from '../token/names.ts';

/** The wishes by turns: a token that is exchanged for another is asked for before that other one. */
export function inRounds(config: Config, names: readonly WishName[]): readonly (readonly WishName[])[] {
  const rounds: WishName[][] = [];
  for (const name of names) {
    const depth = subjectsOf(config, name);
    rounds[depth] ??= [];
    rounds[depth].push(name);
  }
  return rounds.filter((round) => round !== undefined);
}

/** How many exchanges lie before the wish. A circle of them has no first one; where it is entered does not matter. */
function subjectsOf(config: Config, name: WishName): number {
  const seen = new Set<WishName>();
  for (let at: WishName | undefined = name; at !== undefined && !seen.has(at); ) {
    seen.add(at);
    const account = config.accounts.get(config.wishes.get(at)?.account ?? ('' as never));
    at = account?.grant === 'token_exchange' ? account.subject : undefined;
  }
  return seen.size - 1;
}
