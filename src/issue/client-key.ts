import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { ClientKey } from './client.ts';

const leastRsaBits = 2048;

/**
 * The public key of a client from a file: PEM, or a JWK. A private key is refused, since it is the client's alone. Throws Fault `usage`.
 */
export function readClientKey(text: string, from: string): ClientKey {
  const jwk = jwkIn(text);
  if (/PRIVATE KEY/.test(text) || jwk?.['d'] !== undefined) {
    throw new Fault('usage', `${from} holds a private key, which must never leave the client`, {
      hint: 'take the public half: openssl pkey -in KEY -pubout',
    });
  }
  let key: KeyObject;
  try {
    key = createPublicKey(jwk === undefined ? text : { key: jwk, format: 'jwk' });
  } catch {
    throw unusable(from, 'it is neither a public key in PEM nor a JWK');
  }
  return clientKey(key, from);
}

function jwkIn(text: string): JsonWebKey | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as JsonWebKey;
  } catch {
    return undefined;
  }
}

function clientKey(key: KeyObject, from: string): ClientKey {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const { crv, x, y, n, e } = key.export({ format: 'jwk' }) as Readonly<Record<string, string>>;
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') {
    return { kty: 'EC', alg: 'ES256', crv: String(crv), x: String(x), y: String(y) };
  }
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= leastRsaBits) {
    return { kty: 'RSA', alg: 'RS256', n: String(n), e: String(e) };
  }
  throw unusable(from, `it is of type ${key.asymmetricKeyType}${namedCurve === undefined ? '' : ` (${namedCurve})`}`);
}

const unusable = (from: string, why: string): Fault =>
  new Fault('usage', `${from} is no key that clients can use: ${why}`, {
    hint: 'ES256 (P-256) or RS256 (at least 2048 bits): openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  });
