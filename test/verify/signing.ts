import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Epoch, epoch } from '../../src/token/time.ts';
import { strictTrust, type TrustedIssuer } from '../../src/verify/trust.ts';

export const issuer = 'https://issuer.example';
export const ourAudience = 'https://se.example';
/** The time at which tests take place, unless they say otherwise. */
export const noon: Epoch = epoch(Date.UTC(2026, 10, 22, 12));
export const noonSeconds = noon / 1000;

type Claims = Readonly<Record<string, unknown>>;

/** A key pair of an issuer, and what it publishes of it. */
export interface TestKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'RS256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function makeKey(kid: string, alg: TestKey['alg'] = 'ES256'): TestKey {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, ...pair, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

export const jwksOf = (...keys: readonly TestKey[]): string => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

/** What a good WLCG token says; a change to undefined leaves the claim out. */
export function goodClaims(change: Claims = {}): Claims {
  return {
    iss: issuer,
    sub: 'robot',
    aud: ourAudience,
    iat: noonSeconds - 60,
    nbf: noonSeconds - 120,
    exp: noonSeconds + 3540,
    jti: 'j1',
    scope: 'storage.read:/data',
    'wlcg.ver': '1.0',
    ...change,
  };
}

export interface Written {
  readonly claims?: Claims;
  readonly header?: Claims;
  /** Instead of claims or header: the JSON itself. */
  readonly claimsText?: string;
  readonly headerText?: string;
}

/** Signs whatever it is given. */
export function signToken(key: TestKey, { claims = {}, header = {}, claimsText, headerText }: Written = {}): string {
  const head = headerText ?? JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header });
  return signText(key, `${encoded(head)}.${encoded(claimsText ?? JSON.stringify(goodClaims(claims)))}`);
}

export const encoded = (text: string): string => Buffer.from(text).toString('base64url');

export function signText(key: TestKey, text: string): string {
  const signature = sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** The issuer above, trusted strictly, with the keys at hand. */
export function trustIn(keys: readonly TestKey[], change: Partial<TrustedIssuer> = {}): TrustedIssuer {
  return {
    ...strictTrust,
    issuer,
    keys: { kind: 'jwks', text: jwksOf(...keys), from: 'a test' },
    audiences: [ourAudience],
    ...change,
  };
}
