import { isLoopback } from '../world/loopback.ts';

/** Why this URL may not be asked for tokens, as the rest of a sentence; undefined if it may. Plain http goes to loopback only. */
export function unfitUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'holds a user name or password, which a URL here must not';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'is not an https:// URL';
  return isLoopback(url.hostname) ? undefined : 'is plain http, which is only for loopback; write https://';
}

/**
 * An issuer is named by its exact text, so it cannot have what RFC 8414 section 2 excludes, nor what parsers of URLs mend without a
 * word (blanks, `\` for `/`, missing slashes, `..`): its keys would lie, and be looked for, elsewhere than its name says.
 */
export function unfitIssuer(text: string): string | undefined {
  const unfit = unfitUrl(text);
  if (unfit !== undefined) return unfit;
  if (/[?#]/.test(text)) return 'has a query or fragment, which an issuer cannot have';
  if (!/^[\x21-\x7e]+$/.test(text)) return 'has characters that no URL has';
  if (!/^https?:\/\/[^/\\]+(\/[^\\]*)?$/i.test(text)) return 'is not of the form https://HOST/PATH';
  return /\/(\.|%2e){1,2}(\/|$)/i.test(text) ? 'has "." or ".." in its path, which an issuer cannot have' : undefined;
}
