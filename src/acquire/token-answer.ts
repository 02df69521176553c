import { days, type Millis, millis, seconds } from '../token/time.ts';
import { cleanWords } from './issuer-words.ts';

/** Nobody issues access tokens for longer; what says so is cut down to it (scenario 18). */
export const longestAccessTokenLife = days(365);

/**
 * `expires_in` as a length, undefined when it says nothing usable; an oddity is added for everything that is not a positive
 * whole number. It never stops us: the token is good, and has an `exp` of its own or counts for ten minutes.
 */
export function readExpiresIn(value: unknown, oddities: string[]): Millis | undefined {
  if (value === undefined || value === null) {
    oddities.push('the answer does not say how long the token lives (no expires_in)');
    return undefined;
  }
  const isText = typeof value === 'string';
  const number = isText && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) {
    oddities.push('expires_in is not a number, and not used');
    return undefined;
  }
  if (number <= 0) {
    oddities.push(`expires_in is ${number}, and not used`);
    return undefined;
  }
  if (number * 1000 > longestAccessTokenLife) {
    oddities.push(`expires_in is ${number} seconds, and counts as one year`);
    return longestAccessTokenLife;
  }
  if (isText) oddities.push('expires_in is text instead of a number');
  if (Number.isInteger(number)) return seconds(number);
  oddities.push('expires_in is not a whole number');
  return millis(Math.floor(number * 1000));
}

/** A sentence if the token cannot be used as a bearer token, else undefined (RFC 6749 section 7.1; `N_A` is RFC 8693's). */
export function readTokenType(value: unknown, oddities: string[]): string | undefined {
  if (typeof value === 'string' && /^(bearer|n_a)$/i.test(value)) return undefined;
  if (typeof value === 'string' && value !== '') return `gave a token of type ${cleanWords(value)}, not a bearer token`;
  oddities.push('the answer does not say that the token is a bearer token (token_type)');
  return undefined;
}

/** `scope` of the answer, as a list; undefined when it says nothing (then it is what was asked for, RFC 6749 section 5.1). */
export function readScope(value: unknown, oddities: string[]): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value.split(/\s+/).filter((one) => one !== '');
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
    oddities.push('scope is a list instead of text');
    return value;
  }
  oddities.push('scope is not text, and not used');
  return undefined;
}
