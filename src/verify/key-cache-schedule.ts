import { Fault } from '../fault/fault.ts';
import { lifetimeTable } from '../token/lifetimes.ts';
import { hours, type Millis, millis, minutes, seconds } from '../token/time.ts';

/** How long keys live in a cache (WLCG profile 1.3, "Token lifetime guidance"). */
export interface KeyCacheTimes {
  /** Fetched anew at this age at the latest, 1 to 6 hours. */
  readonly refresh: Millis;
  /** Used up to this age when the issuer is away, 1 to 4 days. */
  readonly expiry: Millis;
}

const { keyCacheRefresh, keyCacheExpiry } = lifetimeTable;

/** Throws `config-invalid` for times outside of the profile's bounds. */
export function keyCacheTimes(wished: Partial<KeyCacheTimes> = {}): KeyCacheTimes {
  const { refresh = keyCacheRefresh.recommended, expiry = keyCacheExpiry.recommended } = wished;
  if (!(refresh >= keyCacheRefresh.least && refresh <= keyCacheRefresh.most)) {
    throw new Fault('config-invalid', 'keys of issuers are to be refreshed every 1 to 6 hours');
  }
  if (!(expiry >= keyCacheExpiry.least && expiry <= keyCacheExpiry.most)) {
    throw new Fault('config-invalid', 'keys of issuers are to be usable for 1 to 4 days');
  }
  return { refresh, expiry };
}

/**
 * At which age keys are fetched anew: as long as the issuer says, at least an hour, at most what was configured; a random point
 * in a quarter of that, so that the verifiers of a site do not all come at once.
 */
export function refreshAge(freshFor: Millis | undefined, { refresh }: KeyCacheTimes, unit: number): Millis {
  const bound = Math.min(Math.max(freshFor ?? refresh, keyCacheRefresh.least), refresh);
  const early = Math.max(bound * 0.75, keyCacheRefresh.least);
  const late = Math.max(bound, Math.min(early * 1.25, refresh));
  return millis(early + (late - early) * unit);
}

/**
 * The pause after the nth failure in a row: from five seconds, doubling, with jitter. Up to five minutes where nothing can be
 * verified meanwhile, up to an hour where the keys at hand still serve. What the issuer asks for counts within these bounds.
 */
export function failurePause(count: number, standing: 'usable' | 'none', unit: number, asked?: Millis): Millis {
  const cap = standing === 'usable' ? hours(1) : minutes(5);
  const grown = Math.min(cap, seconds(5) * 2 ** Math.min(count - 1, 20));
  return millis(Math.max(grown * (0.75 + 0.5 * unit), Math.min(asked ?? 0, cap)));
}

/** For keys on disk, of the five seconds for everything: a disk that hangs is done without. */
export const diskTime = seconds(1);

/** Between two looks for keys nobody knew of: anybody can send a token with a kid made up, so these looks have to be rare. */
export const firstKidPause = seconds(30);
const longestKidPause = minutes(5);

/**
 * How long no look for an unknown key follows a failure: as long as the issuer asks for, and else no longer than these looks ever are
 * apart, since a key that is new can be what the failed refresh would have brought.
 */
export const kidPauseAfterFailure = (pause: Millis, asked: Millis = millis(0)): Millis =>
  millis(Math.max(Math.min(pause, longestKidPause), Math.min(pause, asked)));

/** While the issuer has nothing new, the looks become rarer. */
export const nextKidPause = (last: Millis): Millis => millis(Math.min(last * 2, longestKidPause));
