import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

/** The private half of an issuer's key, with the name it is published under. */
export interface OddKey {
  readonly kid: string;
  readonly key: KeyObject;
}

export const oddKey = (kid: string, pem: string): OddKey => ({ kid, key: createPrivateKey(pem) });

export const makeOddKey = (kid: string): OddKey => ({
  kid,
  key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
});

/** The public half, as it stands in a JWKS. */
export const publicJwk = ({ kid, key }: OddKey): Claims => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
  ...{ kid, use: 'sig', alg: 'ES256' },
});

type Claims = Readonly<Record<string, unknown>>;

export interface OddToken {
  /** Seconds from now. */
  readonly times?: { readonly iat?: number; readonly nbf?: number; readonly exp?: number };
  readonly claims: Claims;
}

/**
 * A token with whatever claims, signed ES256: for tokens that have ended, are not valid yet, or are for nobody in particular, none
 * of which an issuer of ours signs. Good for ten minutes otherwise.
 */
export function signOddly({ kid, key }: OddKey, { times = {}, claims }: OddToken): string {
  const now = Math.floor(Date.now() / 1000);
  const { iat = 0, nbf = iat, exp = 600 } = times;
  const all = { jti: randomUUID(), iat: now + iat, nbf: now + nbf, exp: now + exp, 'wlcg.ver': '1.0', ...claims };
  const encoded = (part: Claims) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encoded({ alg: 'ES256', typ: 'JWT', kid })}.${encoded(all)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
