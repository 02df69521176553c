import type { KeyStanding } from './key-cache.ts';
import { type Refusal, refusal, shown } from './verification.ts';

/** No key of the issuer can be used now; it may pass by itself. */
export function keysUnavailable(issuer: string, standing: KeyStanding | undefined): Refusal {
  const trouble = standing?.trouble;
  const why = `the keys of ${shown(issuer)} could not be had`;
  if (trouble === undefined) return refusal('keys-unavailable', why);
  const hint = trouble.fault.hint ?? 'nothing was found wrong with the token itself; try again when the issuer answers';
  return refusal('keys-unavailable', `${why}: ${trouble.fault.message}`, hint);
}

/** The issuer does not publish the key. While its keys cannot be fetched, nobody knows whether it has a new one. */
export function keyUnknown(kid: string, standing: KeyStanding | undefined): Refusal {
  const published = standing?.kids ?? [];
  const names = published.slice(0, 8).map(shown).join(', ') || 'none with a name';
  const why = `the token names the key ${shown(kid)}, which its issuer does not publish`;
  if (standing?.standing === 'fixed') {
    return refusal('key-unknown', why, `the keys at hand are ${names}; they may be older than the token`);
  }
  if (standing?.trouble !== undefined) {
    const since = `its keys are known from earlier only (${names}): ${standing.trouble.fault.message}`;
    return refusal('keys-unavailable', `the token names the key ${shown(kid)}, which is not known here; ${since}`);
  }
  const rotated =
    'if it changed its keys just now, the new one is not served yet; if long ago, the token was signed with a key that was withdrawn';
  return refusal('key-unknown', why, `it publishes ${names}; ${rotated}`);
}
