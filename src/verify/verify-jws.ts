import { verify } from 'node:crypto';
import type { VerificationKey } from './jwks.ts';
import { remembered } from './memo.ts';
import { readJsonPart, strictBase64url } from './strict-json.ts';
import { type Refusal, refusal, shown } from './verification.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** A compact JWS (RFC 7515 section 3.1) taken apart strictly, its signature not yet looked at. */
export interface ReadJws {
  readonly kind: 'jws';
  readonly header: JsonObject;
  readonly claims: JsonObject;
  /** What was signed: header and claims with the dot between them. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Of a whole token (VER-07). */
export const largestToken = 16 * 1024;

/** Frozen, since every token with this header gets the same one. */
const readHeader = remembered((part: string) => {
  const reading = readJsonPart(part);
  if (reading.kind === 'object') Object.freeze(reading.value);
  return reading;
});

/** Takes a token apart, and refuses what is none, what is too large, and what demands to be understood in ways we do not know (`crit`). */
export function readJws(text: string): ReadJws | Refusal {
  if (text.length > largestToken) return refusal('too-large', `the token is longer than ${largestToken} characters`);
  const firstDot = text.indexOf('.');
  const secondDot = text.indexOf('.', firstDot + 1);
  if (firstDot < 0 || secondDot < 0 || text.includes('.', secondDot + 1)) return notThreeParts(text);
  const header = readHeader(text.slice(0, firstDot));
  if (header.kind === 'refused') return refusal('malformed', `the header of the token ${header.why}`);
  if ('crit' in header.value) return criticalHeader(header.value);
  const claims = readJsonPart(text.slice(firstDot + 1, secondDot));
  if (claims.kind === 'refused')
    return refusal('malformed', `the claims of the token are unreadable: the part ${claims.why}`);
  const signature = strictBase64url(text.slice(secondDot + 1));
  if (signature === undefined) return refusal('malformed', 'the signature of the token is not base64url');
  return { kind: 'jws', header: header.value, claims: claims.value, signed: text.slice(0, secondDot), signature };
}

/** Is it signed with this key? By the key's own algorithm; what the header says was compared with it before. */
export function signatureHolds({ signed, signature }: ReadJws, { algorithm, key }: VerificationKey): boolean {
  // A bare KeyObject, and DER made by hand, since Node pays for an object with dsaEncoding on every call.
  const encoded = algorithm === 'ES256' ? derOf(signature) : signature;
  return encoded !== undefined && verify('sha256', bytesForNow(signed), key, encoded);
}

/** Buffers made once: checking a signature is over before the next one is looked at, and Buffers made for each would cost a tenth of it. */
const signedBytes = Buffer.allocUnsafeSlow(largestToken);
const signatureBytes = Buffer.allocUnsafeSlow(72);
const encoder = new TextEncoder();

/** Base64url and dots, so that a character is a byte. */
const bytesForNow = (signed: string): Buffer =>
  signed.length > signedBytes.length
    ? Buffer.from(signed)
    : signedBytes.subarray(0, encoder.encodeInto(signed, signedBytes).written);

function notThreeParts(text: string): Refusal {
  if (text.split('.').length === 5) {
    return refusal('malformed', 'the token is encrypted (JWE), and only whom it is for can read it');
  }
  return refusal('malformed', 'the token is no JWT: it has no three parts', 'only its issuer knows what it means');
}

/** RFC 7515 section 4.1.11: extensions that are not understood must lead to a refusal; we understand none. */
function criticalHeader(header: JsonObject): Refusal {
  const named = shown(header['crit']);
  return refusal(
    'critical-header',
    `the header of the token demands extensions that are not known here (crit: ${named})`,
  );
}

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3) of `r` and `s`, 32 bytes each (RFC 7518 section 3.4). */
function derOf(raw: Buffer): Buffer | undefined {
  if (raw.length !== 64) return undefined;
  const der = signatureBytes;
  const middle = putInteger(der, 2, raw, 0);
  const end = putInteger(der, middle, raw, 32);
  der[0] = 0x30;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/** A DER INTEGER: without leading zeros, and with one where the first bit would make it negative. Gives the place after it. */
function putInteger(der: Buffer, at: number, raw: Buffer, from: number): number {
  const end = from + 32;
  let start = from;
  while (start < end - 1 && raw[start] === 0) start += 1;
  const sign = (raw[start] ?? 0) >= 0x80 ? 1 : 0;
  const length = end - start + sign;
  der[at] = 0x02;
  der[at + 1] = length;
  der[at + 2] = 0;
  // By hand: copy() costs more for so few bytes.
  for (let to = at + 2 + sign; start < end; ) der[to++] = raw[start++] ?? 0;
  return at + 2 + length;
}
