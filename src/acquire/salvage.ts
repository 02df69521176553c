import { hasControlCharacter } from '../token/control-character.ts';
import { Secret } from '../token/secret.ts';
import { days, type Millis, seconds } from '../token/time.ts';
import { jsonOf } from './answer-json.ts';
import type { RawAnswer, Salvage } from './grant.ts';

/** What the place reserved for a successor takes (store/spool.ts). */
const largestCredential = 16 * 1024;
const longestLife = days(100 * 365);

/**
 * Takes the refresh token out of an answer, whatever its status and whatever else is wrong with it (scenario 5). Only what
 * could not be sent again as a parameter is left: something that is not text, is empty, too large, or has control characters.
 */
export function salvageRefreshToken(raw: RawAnswer): Salvage {
  const json = jsonOf(raw);
  if (json === null) return nothing;
  const text = json['refresh_token'];
  const successor = isCredential(text) ? new Secret('refresh_token', text) : undefined;
  return { successor, credentialExpiresIn: saneSeconds(json['refresh_expires_in']) };
}

/** For grants without a credential of their own: a refresh token that comes along is not kept. */
export function salvageNothing(): Salvage {
  return nothing;
}

const nothing: Salvage = { successor: undefined, credentialExpiresIn: undefined };

/** Whether a value of an answer can serve as a credential. */
export function isCredential(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    Buffer.byteLength(value) <= largestCredential &&
    !hasControlCharacter(value)
  );
}

/** `refresh_expires_in` is nobody's standard: 0 means "never ends" for some issuers, and is as good as unknown. */
function saneSeconds(value: unknown): Millis | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !(number > 0) || number * 1000 > longestLife) return undefined;
  return seconds(Math.floor(number));
}
