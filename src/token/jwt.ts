type JsonObject = Readonly<Record<string, unknown>>;

/** A JWT taken apart, unverified: good for reading how long it lives and for whom it is, never for deciding access. */
export type DecodedJwt =
  | { readonly kind: 'jwt'; readonly header: JsonObject; readonly claims: JsonObject }
  /** A token without inside, which is fine (RFC 6750). */
  | { readonly kind: 'opaque' }
  /** It looks like a JWT and is none; the reason never quotes it. */
  | { readonly kind: 'malformed'; readonly reason: string };

const largestJwt = 16 * 1024;
const alphabet = /^[A-Za-z0-9_-]*$/;

/** Reads a compact JWS (RFC 7515 section 3.1) without looking at its signature. Text without two dots is opaque. */
export function decodeJwt(text: string): DecodedJwt {
  const firstDot = text.indexOf('.');
  const secondDot = text.indexOf('.', firstDot + 1);
  if (firstDot <= 0 || secondDot < 0) return { kind: 'opaque' };
  // Five parts are an encrypted token (RFC 7516): nothing in it is for us.
  if (text.includes('.', secondDot + 1) || !text.startsWith('eyJ')) return { kind: 'opaque' };
  if (text.length > largestJwt) return malformed(`it is longer than ${largestJwt} characters`);
  if (!isBase64url(text.slice(secondDot + 1))) return malformed('its signature is not base64url');
  const header = decodePart(text.slice(0, firstDot));
  if (header === undefined) return malformed('its header is not a JSON object in base64url');
  const claims = decodePart(text.slice(firstDot + 1, secondDot));
  if (claims === undefined) return malformed('its claims are not a JSON object in base64url');
  return { kind: 'jwt', header, claims };
}

const malformed = (reason: string): DecodedJwt => ({ kind: 'malformed', reason });

/** Buffer takes anything for base64url, so the alphabet and the length are looked at here. */
function isBase64url(text: string): boolean {
  return alphabet.test(text) && text.length % 4 !== 1;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodePart(part: string): JsonObject | undefined {
  if (part === '' || !isBase64url(part)) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(part, 'base64url')));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
