import { lengthInWords } from '../token/explain.ts';
import { type Epoch, minutes, seconds } from '../token/time.ts';
import type { ClaimCase } from './claim-case.ts';
import { type Refusal, refusal, shown } from './verification.ts';

/** The end of the year 9999, in seconds: later times are mistakes, most of them milliseconds. */
const lastTime = 253_402_300_799;
/** However much a trust allows (VER-05). */
const mostTolerance = seconds(60);

/** A NumericDate (RFC 7519 section 2): a number of seconds, fractions allowed, of a time that can be meant. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= lastTime;
}

/** `exp` to the second, `nbf` and `iat` with the tolerance for clocks that differ, then how long it lives. */
export function checkTimes({ claims, trust, now }: ClaimCase): Refusal | undefined {
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = claims[name];
    if (value !== undefined && !isTime(value)) return noTime(name, value);
  }
  const { exp, nbf, iat } = claims as { readonly exp?: number; readonly nbf?: number; readonly iat?: number };
  if (exp === undefined) return refusal('claim-missing', 'the token has no exp: it would be good for ever', mendTokens);
  if (now >= exp * 1000) return expired(exp, now);
  const latest = now + Math.min(trust.tolerance, mostTolerance);
  if (nbf !== undefined && nbf * 1000 > latest) {
    return refusal('not-yet-valid', `the token is not valid yet: only ${fromNow(nbf, now)}`, clocks);
  }
  if (iat !== undefined && iat * 1000 > latest) {
    return refusal('issued-in-future', `the token says it is issued only ${fromNow(iat, now)}`, clocks);
  }
  const life = (exp - (iat ?? nbf ?? now / 1000)) * 1000;
  if (trust.longestLife === undefined || life <= trust.longestLife) return undefined;
  const why = `the token lives ${lengthInWords(life)}, and at most ${lengthInWords(trust.longestLife)} are accepted`;
  return refusal('lives-too-long', why, 'ask the issuer for a token with a shorter life');
}

const mendTokens = 'the issuer has to make its tokens otherwise';
const clocks =
  'if the token has just been made, the clock of this machine is behind or that of the issuer ahead; a minute is tolerated';

function noTime(name: string, value: unknown): Refusal {
  // JSON has no word for the infinity that 1e999 is read as.
  const found = typeof value === 'number' ? String(value) : shown(value);
  const thousand = typeof value === 'number' && value > lastTime ? ' (in milliseconds?)' : '';
  return refusal('claim-type', `the ${name} of the token is ${found}, not a time in seconds${thousand}`, mendTokens);
}

function expired(exp: number, now: Epoch): Refusal {
  const since = now - exp * 1000;
  const recent =
    since < minutes(10) ? '; if it should be good still, compare the clocks of this machine and the issuer' : '';
  return refusal(
    'expired',
    `the token expired ${lengthInWords(since)} ago, at ${moment(exp)}`,
    `get a new one${recent}`,
  );
}

const fromNow = (at: number, now: Epoch): string => `in ${lengthInWords(at * 1000 - now)}, at ${moment(at)}`;
const moment = (at: number): string => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
