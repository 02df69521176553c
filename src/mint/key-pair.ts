import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import type { PublicJwk, SigningAlgorithm } from './signing-key.ts';

/** A private key with what others are told of it. */
export interface KeyPair {
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
}

/**
 * NIST SP 800-57 gives RSA of 2048 bits until 2030 and keys are made to be renewed twice a year, but verifiers pay little for the
 * larger one, so new keys have 3072. Smaller ones than 2048 are refused (RFC 7518 section 3.3).
 */
const rsaBits = 3072;
const leastRsaBits = 2048;
const rsaExponent = 0x10001;

const generate = promisify(generateKeyPair) as unknown as (
  type: 'ec' | 'rsa',
  options: object,
) => Promise<{ privateKey: KeyObject }>;

/** A new key; its kid is its thumbprint. Made on a thread of the pool: an RSA key takes a while. */
export async function makeKeyPair(algorithm: SigningAlgorithm): Promise<KeyPair> {
  const { privateKey } =
    algorithm === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: rsaBits, publicExponent: rsaExponent });
  return keyPairOf(privateKey);
}

/** With the kid that the key is known by already, or its thumbprint. Throws Fault `signing-key-unusable`. */
export function keyPairOf(privateKey: KeyObject, kid?: string): KeyPair {
  const algorithm = algorithmOf(privateKey);
  return { algorithm, privateKey, jwk: jwkOf(createPublicKey(privateKey), kid) };
}

/** The private half as PKCS#8, to be sealed or written to a file of its own. */
export function privatePem(key: KeyObject): Secret<'private_key'> {
  return new Secret('private_key', String(key.export({ type: 'pkcs8', format: 'pem' })));
}

/** As RFC 7517 wants it: unpadded, coordinates of full length, which OpenSSL gives by itself, and `crv`, which some leave out. */
export function jwkOf(publicKey: KeyObject, kid?: string): PublicJwk {
  const { crv, x, y, n, e } = publicKey.export({ format: 'jwk' }) as Readonly<Record<string, string>>;
  const bare =
    publicKey.asymmetricKeyType === 'ec'
      ? ({ kty: 'EC', crv: crv as 'P-256', x: String(x), y: String(y) } as const)
      : ({ kty: 'RSA', n: String(n), e: String(e) } as const);
  return { ...bare, kid: kid ?? thumbprint(bare), alg: bare.kty === 'EC' ? 'ES256' : 'RS256', use: 'sig' };
}

/** Of a key that others could be signing with. Throws Fault `signing-key-unusable` for one that tokens are not signed with. */
export function publicJwkOf(publicKey: KeyObject, kid: string): PublicJwk {
  algorithmOf(publicKey);
  return jwkOf(publicKey, kid);
}

/** RFC 7638: SHA-256 over the required members in alphabetical order. */
export function thumbprint({ kty, crv, x, y, n, e }: Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y' | 'n' | 'e'>): string {
  const members = kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

const unusable = (why: string, hint?: string) =>
  new Fault('signing-key-unusable', why, hint === undefined ? {} : { hint });

/** Which algorithm a key, or its private half, signs with. Throws Fault `signing-key-unusable` for other curves, short RSA keys and other kinds. */
function algorithmOf(key: KeyObject): SigningAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec') {
    if (details?.namedCurve === 'prime256v1') return 'ES256';
    throw unusable(
      `the key lies on the curve ${details?.namedCurve ?? 'unknown'}, and tokens are signed with P-256 only`,
      'openssl ecparam -name prime256v1 -genkey -noout -out key.pem   # makes one that fits',
    );
  }
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits >= leastRsaBits) return 'RS256';
    throw unusable(`the RSA key has ${bits} bits, and the least is ${leastRsaBits} (RFC 7518 section 3.3)`);
  }
  throw unusable(`the key is of the kind ${type ?? 'unknown'}, and tokens are signed with ES256 or RS256`);
}

const privateBlock = /-----BEGIN ((?:EC |RSA )?PRIVATE KEY)-----[\s\S]*?-----END \1-----/;

/**
 * Reads the private key out of what openssl and the scitokens tools write: PKCS#8, SEC1 (also with the block of curve parameters before
 * it) and PKCS#1. Throws Fault `signing-key-unusable`, which says what is there instead and quotes nothing of it.
 */
export function readPrivatePem(text: string): KeyObject {
  const block = privateBlock.exec(text)?.[0];
  if (block === undefined || /^Proc-Type:.*ENCRYPTED/m.test(block)) throw notPrivate(text);
  let key: KeyObject;
  try {
    key = createPrivateKey(block);
  } catch {
    throw unusable(
      'the PEM block of the private key does not read: it is damaged, or of a curve that is not known here',
    );
  }
  algorithmOf(key);
  return key;
}

function notPrivate(text: string): Fault {
  if (/ENCRYPTED/.test(text)) {
    return unusable(
      'the private key is encrypted with a passphrase',
      'openssl pkey -in KEY.pem -out PLAIN.pem   # asks for the passphrase; remove PLAIN.pem once it is imported',
    );
  }
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(text)) {
    return unusable('there is only a public key, and tokens are signed with the private one', 'name the other file');
  }
  if (text.includes('-----BEGIN CERTIFICATE')) return unusable('there is a certificate, and no private key beside it');
  if (text.includes('-----BEGIN OPENSSH'))
    return unusable(
      'the key is in the format of OpenSSH',
      'ssh-keygen -p -m PKCS8 -f COPY   # rewrites a copy of the key',
    );
  if (/^\s*\{/.test(text)) return unusable('there is JSON and no PEM; a private JWK is not read', 'name the PEM file');
  return unusable('there is no private key in PEM form');
}
