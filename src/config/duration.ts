import { type Millis, millis } from '../token/time.ts';

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longest = 100 * 365 * units.d;

/** `90s`, `20m`, `1h`, `400d`, `1h30m`, or a plain number of seconds; undefined if it is none of these, nothing, or above a century. */
export function parseDuration(text: string): Millis | undefined {
  if (/^\d{1,12}$/.test(text)) return bounded(Number(text) * units.s);
  if (!/^(\d{1,9}[dhms])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([dhms])/g))
    total += Number(amount) * units[unit as keyof typeof units];
  return bounded(total);
}

const bounded = (length: number): Millis | undefined => (length > 0 && length <= longest ? millis(length) : undefined);

/** The shortest way to write it so that {@link parseDuration} reads the same; whole seconds. */
export function formatDuration(length: Millis): string {
  for (const unit of ['d', 'h', 'm'] as const) if (length % units[unit] === 0) return `${length / units[unit]}${unit}`;
  return `${Math.round(length / units.s)}s`;
}
