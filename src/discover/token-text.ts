/** What a file or variable holds, by the rules of WLCG discovery and RFC 6750 section 2.1. */
export type TokenText =
  | { readonly kind: 'token'; readonly text: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'invalid'; readonly why: string };

const b64token = /^[A-Za-z0-9\-._~+/]+=*$/;
const whiteSpace: ReadonlySet<string> = new Set(' \f\n\r\t\v');
const mark = '\u00EF\u00BB\u00BF';

/**
 * Judges bytes read as Latin-1 (or a string of the environment). Only the white space of C99 is cut off: JavaScript's `trim`
 * would also take a no-break space or a byte order mark, and find a token where other programs find none (scenario 40).
 */
export function tokenText(raw: string): TokenText {
  const text = withoutWhiteSpace(raw);
  if (text === '') return { kind: 'empty' };
  if (b64token.test(text)) return { kind: 'token', text };
  return { kind: 'invalid', why: whyInvalid(text) };
}

/** By hand: a pattern for the end takes seconds where somebody put blanks without end into the middle. */
function withoutWhiteSpace(raw: string): string {
  let [start, end] = [0, raw.length];
  while (start < end && whiteSpace.has(raw.charAt(start))) start += 1;
  while (end > start && whiteSpace.has(raw.charAt(end - 1))) end -= 1;
  return raw.slice(start, end);
}

function whyInvalid(text: string): string {
  if (text.startsWith(mark) || text.startsWith('\uFEFF')) return 'it begins with a byte order mark';
  if (/^[!-~]+([ \f\n\r\t\v]+[!-~]+)+$/.test(text)) return 'it holds more than one word';
  if (/[^ -~\f\n\r\t\v]/.test(text)) return 'it has bytes that no token has (binary, or letters beyond ASCII)';
  return 'it has characters that no token has';
}
