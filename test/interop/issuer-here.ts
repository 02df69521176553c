import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OddKey, oddKey, signOddly } from './odd-tokens.ts';
import { type StaticSite, startStaticSite } from './static-site.ts';
import type { Surroundings } from './surroundings.ts';

export interface TokenWish {
  readonly audience: string;
  readonly scope: string;
}

/** An issuer of ours, and the web site that shows what it published. */
export interface IssuerHere extends AsyncDisposable {
  readonly url: string;
  readonly site: StaticSite;
  /** Signs for ten minutes, for the subject `robot`. */
  sign(wish: TokenWish): Promise<string>;
  publish(): Promise<void>;
  /** One step of next, signing, retired, removed, without waiting for its time. */
  rotate(): Promise<void>;
  /** The key that signs. */
  signingKey(): OddKey;
}

export async function startIssuer(told: Surroundings): Promise<IssuerHere> {
  const home = await mkdtemp(join(told.directory, 'issuer-'));
  const site = await startStaticSite(join(home, 'www'), told);
  const url = `${site.url}/vo`;
  const make = (): OddKey => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return oddKey(randomUUID().slice(0, 8), privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  };
  let keys: { key: OddKey; state: string }[] = [{ key: make(), state: 'signing' }];
  const signing = () => keys.find(({ state }) => state === 'signing')?.key as OddKey;
  return {
    url,
    site,
    sign: async ({ audience, scope }) =>
      signOddly(signing(), { claims: { iss: url, sub: 'robot', aud: audience, scope } }),
    async publish() {
      await mkdir(join(home, 'www/vo/.well-known'), { recursive: true });
      const { createPublicKey } = await import('node:crypto');
      const jwks = {
        keys: keys.map(({ key }) => ({
          ...createPublicKey(key.key).export({ format: 'jwk' }),
          kid: key.kid,
          use: 'sig',
          alg: 'ES256',
        })),
      };
      await writeFile(join(home, 'www/vo/jwks'), JSON.stringify(jwks));
      await writeFile(
        join(home, 'www/vo/.well-known/openid-configuration'),
        JSON.stringify({ issuer: url, jwks_uri: `${url}/jwks` }),
      );
    },
    async rotate() {
      if (keys.some(({ state }) => state === 'next'))
        keys = keys.map(({ key, state }) => ({ key, state: state === 'next' ? 'signing' : 'retired' }));
      else if (keys.some(({ state }) => state === 'retired')) keys = keys.filter(({ state }) => state !== 'retired');
      else keys.push({ key: make(), state: 'next' });
    },
    signingKey: signing,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}
