import { decodeJwt } from '../token/jwt.ts';
import type { PresentedToken, SignatureFinding } from './explanation.ts';
import type { KeySet, VerificationKey } from './jwks.ts';
import { strictBase64url } from './strict-json.ts';
import { signatureHolds } from './verify-jws.ts';

export type Presenting =
  | { readonly kind: 'token'; readonly token: PresentedToken }
  | { readonly kind: 'unreadable'; readonly why: string };

/**
 * Takes a token apart as leniently as services do, and compares its signature with the issuer's keys if there are any. Good for
 * explaining, not for letting anybody in: that is what a Verifier is for.
 */
export function presentToken(text: string, keys: KeySet | undefined): Presenting {
  const decoded = decodeJwt(text);
  if (decoded.kind === 'opaque') return { kind: 'unreadable', why: 'it is no JWT' };
  if (decoded.kind === 'malformed')
    return { kind: 'unreadable', why: `it looks like a JWT and is none: ${decoded.reason}` };
  const { header, claims } = decoded;
  const signature = keys === undefined ? withoutKeys : findingOf(text, header, claims, keys);
  return { kind: 'token', token: { header, claims, signature } };
}

const withoutKeys: SignatureFinding = {
  kind: 'unknown',
  why: "the signature was not compared, since the issuer's keys are not at hand",
};

type Claims = Readonly<Record<string, unknown>>;

function findingOf(text: string, header: Claims, claims: Claims, { keys, byKid }: KeySet): SignatureFinding {
  const published = keys.map(({ kid }) => kid ?? 'a key without kid');
  const { kid, alg } = header;
  const named = typeof kid === 'string';
  const key: VerificationKey | undefined = named ? byKid.get(kid) : keys.length === 1 ? keys[0] : undefined;
  if (key === undefined) {
    return named ? { kind: 'key unpublished', kid, published } : { kind: 'key unnamed' };
  }
  if (alg !== key.algorithm) return { kind: 'algorithm', found: String(alg) };
  const end = text.lastIndexOf('.');
  const signature = strictBase64url(text.slice(end + 1));
  const holds =
    signature !== undefined &&
    signatureHolds({ kind: 'jws', header, claims, signed: text.slice(0, end), signature }, key);
  return holds ? { kind: 'good' } : { kind: 'wrong', ...(named ? { kid } : {}) };
}
