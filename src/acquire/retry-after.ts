import { after, type Epoch, epoch, millis } from '../token/time.ts';

/** Nobody means more than this; what asks for more is cut down to it. The schedule bounds it further (scenario 23). */
const longestWait = millis(24 * 3_600_000);

/**
 * `Retry-After` (RFC 9110 section 10.2.3), in seconds or as a date, as a point on our own clock. A date is compared with the
 * issuer's `Date`, if it sent one, so that a skewed clock does not count. Undefined for what makes no sense or has passed.
 */
export function retryAfter(header: string | undefined, receivedAt: Epoch, date?: string): Epoch | undefined {
  if (header === undefined) return undefined;
  const wait = waitOf(header.trim(), receivedAt, date);
  if (!(wait > 0)) return undefined;
  return after(receivedAt, millis(Math.min(wait, longestWait)));
}

function waitOf(text: string, receivedAt: Epoch, date: string | undefined): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/[a-z]/i.test(text)) return Number.NaN;
  const theirNow = Date.parse(date ?? '');
  return Date.parse(text) - (Number.isNaN(theirNow) ? epoch(receivedAt) : theirNow);
}
