/** Does the text fit the pattern? `*` stands for any text without a blank, also for none; everything else for itself. */
export function fitsPattern(pattern: string, text: string): boolean {
  // As many blanks as the pattern has itself: then none of them lies under a star.
  return fitsWidely(pattern, text) && (!pattern.includes('*') || blanks(text) === blanks(pattern));
}

/**
 * The same with a star that stands for blanks, too: what forbids must not let anything by. In one go from left to right, so that no
 * pattern takes long.
 */
export function fitsWidely(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  const last = rest.pop() ?? '';
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

const blanks = (text: string): number => text.split(' ').length;

/**
 * The same for audiences, where a star stays between two slashes, and between what else ends a host (RFC 3986 section 3.2):
 * `https://*.example.org` is no `https://elsewhere/x.example.org` and no `https://elsewhere?x.example.org`, whose host is another one. Only
 * `*` alone is any audience.
 */
export const fitsAudience = (pattern: string, audience: string): boolean =>
  fitsPattern(pattern, audience) && (pattern === '*' || borders(audience) === borders(pattern));

const borders = (text: string): string => text.replace(/[^/?#@\\]/g, '');

export const fitsOneOf = (patterns: readonly string[], text: string): boolean =>
  patterns.some((pattern) => fitsPattern(pattern, text));
