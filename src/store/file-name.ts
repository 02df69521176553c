import { createHash } from 'node:crypto';

/** Longest part of a name that is kept readable; file names end at 255 bytes and get suffixes. */
const readable = 80;

/**
 * A file name for any name of an account: letters, digits, `-` and `_` as they are, the rest as `%XX`; long ones are cut and
 * told apart by a digest. No two names give the same file name, and none starts with a dot.
 */
export function safeFileName(name: string): string {
  let safe = '';
  for (const byte of Buffer.from(name)) {
    const character = String.fromCharCode(byte);
    safe += /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  if (safe.length <= readable) return safe === '' ? '%' : safe;
  return `${safe.slice(0, readable)}%~${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}
