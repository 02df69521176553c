import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { claimsOf, headerOf } from '../src/mint/claims.ts';
import { type KeyPair, keyPairOf } from '../src/mint/key-pair.ts';
import type { SettledRequest } from '../src/mint/policy.ts';
import { signJws } from '../src/mint/sign-jws.ts';
import type { SigningAlgorithm } from '../src/mint/signing-key.ts';
import type { IssuerUrl } from '../src/token/names.ts';
import { type Epoch, epoch, hours } from '../src/token/time.ts';

export const sampleAudience = 'https://storage.example.org:8443';

const request: SettledRequest = {
  subject: '8f1ee2e2-59d5-4b16-a1ea-8d9b7f6d4c2e',
  audiences: [sampleAudience],
  scopes: ['storage.read:/osg', 'storage.modify:/osg/output', 'compute.create'],
  groups: [],
  lifetime: hours(6),
  clientId: undefined,
  claims: {},
};

/** Of the size that `openssl speed` measures; `tokeep issuer init` makes larger RSA keys. */
export const samplePair = (algorithm: SigningAlgorithm): KeyPair =>
  keyPairOf(
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  );

/** A token of the WLCG profile, about 600 bytes, another one each time: made as an issuer makes them once policy has spoken. */
export function sampleToken(
  issuer: string,
  { algorithm, privateKey, jwk }: KeyPair,
  now: Epoch = epoch(Date.now()),
): string {
  const issuing = { url: issuer as IssuerUrl, profile: 'wlcg', jti: randomUUID(), now } as const;
  const { claims } = claimsOf(request, issuing);
  return signJws(headerOf('wlcg', jwk.kid), claims, privateKey, algorithm);
}

export const keySetOf = ({ jwk }: KeyPair): string => JSON.stringify({ keys: [jwk] });
