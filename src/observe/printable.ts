import type { Epoch, Millis } from '../token/time.ts';

/** The most of a foreign text that a line of ours quotes. */
const longest = 600;

/** A JWT, or the start of one, in the middle of a text. */
const tokenLike = /eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g;

/** What a terminal obeys instead of showing it: control characters (also the C1 set), and what turns the direction of writing. */
const obeyed = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/**
 * One line of printable text: control characters (also the C1 set and the bidirectional ones) become spaces, what looks like a
 * token goes, and so does everything beyond 600 characters. Texts of issuers and commands end up in logs, mails and terminals.
 */
export function printable(text: string): string {
  const line = text.replace(obeyed, ' ').replace(tokenLike, '[redacted]').trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** A document of others without what looks like a token in any of its texts and names, as {@link printable} has it for a line. */
export function withoutTokens(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(tokenLike, '[redacted]');
  if (Array.isArray(value)) return value.map(withoutTokens);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value).map(
    ([name, part]) => [String(withoutTokens(name)), withoutTokens(part)] as const,
  );
  return Object.fromEntries(parts);
}

/** JSON with the same meaning as ever, that does nothing to a terminal: JSON.stringify escapes only the control characters of ASCII. */
export function printableJson(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // The line ends are those of the layout; one in a text is escaped already.
  return JSON.stringify(value, null, 2).replace(obeyed, (some) => some.replace(/[^\n]/g, escaped));
}

/** `2026-03-01T09:30:00Z`; the same text everywhere, so that one can search for it. */
export function timestamp(at: Epoch): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'never' : `${date.toISOString().slice(0, 19)}Z`;
}

const units: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** `3 d`, `47 h`, `12 min`, `4 s`: the largest unit of which there are at least two (or the smallest), rounded down. */
export function span(length: Millis): string {
  const size = Math.abs(length);
  const sign = length < 0 ? '-' : '';
  for (const [unit, name] of units) {
    if (size >= 2 * unit) return `${sign}${Math.floor(size / unit)} ${name}`;
  }
  return size >= 1000 ? `${sign}1 s` : 'less than a second';
}

/** `1 token`, `2 tokens`; for nouns whose plural takes an s. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
