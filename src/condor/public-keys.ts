import { createPublicKey } from 'node:crypto';
import { errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import { publicJwkOf, thumbprint } from '../mint/key-pair.ts';
import type { PublicJwk } from '../mint/signing-key.ts';
import type { Epoch } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { readRetiredKeys, retiredKeysFile } from './retired-keys.ts';
import type { LocalProvider, SettingsFinding } from './settings.ts';

/** RFC 7517 section 5. */
export interface JwkSet {
  readonly keys: readonly PublicJwk[];
}

export interface LocalKeySets {
  /** By ISSUER, to the letter: the keys of all local providers that have it. */
  readonly sets: ReadonlyMap<string, JwkSet>;
  readonly findings: readonly SettingsFinding[];
}

type KeyPart = Pick<LocalProvider, 'provider' | 'issuer' | 'keyId' | 'publicKey'>;

/** Files, read; `undefined` where they are not there. */
export interface PublicKeyText {
  readonly provider: KeyPart;
  readonly text: string | undefined;
  /** What signed before it (`retired-keys.ts`). */
  readonly retired?: string | undefined;
}

const largestPem = 64 * 1024;

/** Reads PUBLIC_KEY of these providers; they are for everybody, so that no rights are needed. */
export async function readLocalKeySets(world: World, providers: readonly KeyPart[]): Promise<LocalKeySets> {
  const unread: SettingsFinding[] = [];
  const texts: PublicKeyText[] = [];
  for (const provider of providers) {
    try {
      const text = await world.files.readText(provider.publicKey, largestPem);
      const retired = await world.files.readText(retiredKeysFile(provider), largestPem);
      texts.push({ provider, text, retired });
    } catch (thrown) {
      unread.push(finding(provider, `the public key ${provider.publicKey} could not be read: ${errnoWords(thrown)}`));
    }
  }
  const { sets, findings } = localKeySets(texts, world.clock.now());
  return { sets, findings: [...unread, ...findings] };
}

/** The keys of each issuer, each kid once. What cannot be published is a finding, and the others are published all the same. */
export function localKeySets(texts: readonly PublicKeyText[], now: Epoch): LocalKeySets {
  const sets = new Map<string, { readonly keys: PublicJwk[] }>();
  const findings: SettingsFinding[] = [];
  const setOf = ({ issuer }: KeyPart) => {
    const set = sets.get(issuer) ?? { keys: [] };
    sets.set(issuer, set);
    return set.keys;
  };
  const signing = texts.flatMap(({ provider, text }) => {
    const key = keyOf(provider, text);
    if ('kty' in key) return [{ provider, key }];
    findings.push(key);
    return [];
  });
  for (const { provider, key } of signing) {
    const keys = setOf(provider);
    const same = keys.find(({ kid }) => kid === key.kid);
    if (same === undefined) keys.push(key);
    else if (thumbprint(same) !== thumbprint(key)) findings.push(secondOfKid(provider));
  }
  // After all that sign: where a kid is needed twice, it belongs to the one that signs.
  for (const { provider, retired = '{"keys":[]}' } of texts) {
    const before = readRetiredKeys(retired, now);
    if (before === undefined) findings.push(finding(provider, `${retiredKeysFile(provider)} does not read`));
    for (const key of before ?? []) {
      const keys = setOf(provider);
      if (!keys.some(({ kid }) => kid === key.kid)) keys.push(key);
    }
  }
  return { sets, findings };
}

/** What stands at `/.well-known/openid-configuration` below ISSUER (OpenID Connect Discovery 1.0, as SciTokens reads it). */
export const localMetadata = (issuer: string, jwksUri: string) => ({ issuer, jwks_uri: jwksUri });

/**
 * For `status`: what to do if ISSUER does not publish the key that signs. `published` are the kids found there; undefined where there was
 * nothing to be had.
 */
export function unpublishedAdvice(
  { provider, issuer, keyId }: Pick<LocalProvider, 'provider' | 'issuer' | 'keyId'>,
  published: readonly string[] | undefined,
): string | undefined {
  if (published?.includes(keyId)) return undefined;
  const found =
    published === undefined
      ? `${issuer} publishes no keys`
      : `${issuer} publishes ${published.length === 0 ? 'no key' : published.join(', ')} and not ${keyId}`;
  return `${found}, so that services refuse the tokens of ${provider}: publish it with \`tokeep issuer publish\`, or have the web login serve it`;
}

function keyOf(provider: KeyPart, text: string | undefined): PublicJwk | SettingsFinding {
  const { publicKey: path, keyId } = provider;
  if (text === undefined) return finding(provider, `the public key ${path} is not there`);
  if (text.includes('PRIVATE KEY-----'))
    return finding(provider, `${path} holds a private key, and is read by everybody`);
  try {
    return publicJwkOf(createPublicKey(text), keyId);
  } catch (thrown) {
    const why = thrown instanceof Fault ? thrown.message : 'it is no public key in PEM form';
    return finding(provider, `the public key ${path} cannot be published: ${why}`);
  }
}

const secondOfKid = (provider: KeyPart): SettingsFinding => ({
  severity: 'error',
  knob: `LOCAL_CREDMON_${provider.provider}_KEY_ID`,
  message: `another provider of ${provider.issuer} has the kid ${provider.keyId} for another key, and services tell keys by their kid alone`,
  hint: 'give one of them another KEY_ID',
});

const finding = ({ provider }: KeyPart, message: string): SettingsFinding => ({
  severity: 'error',
  knob: `LOCAL_CREDMON_${provider}_PUBLIC_KEY`,
  message,
});
