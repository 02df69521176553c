import { createPublicKey } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { errnoWords } from '../fault/errno-words.ts';
import type { OpenIssuer } from '../mint/issuer.ts';
import { publicJwkOf } from '../mint/key-pair.ts';
import type { PublicJwk, SigningKey } from '../mint/signing-key.ts';
import { after, type Epoch, epochFromSeconds } from '../token/time.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import type { LocalProvider } from './settings.ts';

/** Providers may share a key and its file. */
type Place = Pick<LocalProvider, 'publicKey' | 'provider'>;

/**
 * Beside PUBLIC_KEY, which holds one key: those that signed before it, as long as something lives that they signed. The web login, which sees
 * nothing of the issuer itself, publishes them from here.
 */
export const retiredKeysFile = ({ publicKey, provider }: Place): string => `${publicKey}.${provider}.retired.json`;

const largest = 64 * 1024;

/** Writes what is to be announced, where it changed. What hinders it is a remark: tokens are signed all the same. */
export async function announceRetired(world: World, issuer: OpenIssuer, place: Place): Promise<string | undefined> {
  const path = retiredKeysFile(place);
  const text = retiredText(await issuer.keys(), issuer);
  try {
    const found = await world.files.readText(path, largest);
    if (found === text || (found === undefined && text === nothing)) return undefined;
    const directory = await world.files.openDirectory(dirname(path));
    try {
      const temporary = `.${basename(path)}.${world.random.id()}`;
      const content = { bytes: Buffer.from(text), temporary, mode: 0o644, keeps: 'durable' } as const;
      await replaceFile(directory, basename(path), content);
    } finally {
      await directory.close();
    }
    return undefined;
  } catch (thrown) {
    return `the keys that signed before could not be announced in ${path}: ${errnoWords(thrown)}`;
  }
}

const nothing = '{"keys":[]}\n';

function retiredText(keys: readonly SigningKey[], { keyPlace, settings }: OpenIssuer): string {
  const now = keyPlace.world.clock.now();
  const announced = keys.flatMap((key) => {
    const until = after(key.lastExpiry ?? key.createdAt, settings.rotation.behind);
    const isAnnounced = key.state === 'retired' && key.givenUp !== true && key.lastExpiry !== undefined && until > now;
    return isAnnounced ? [{ ...key.jwk, until: Math.floor(until / 1000) }] : [];
  });
  return `${JSON.stringify({ keys: announced })}\n`;
}

/** Those whose time is not over. Undefined for a text that is none of ours. */
export function readRetiredKeys(text: string, now: Epoch): readonly PublicJwk[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly (PublicJwk & { readonly until: number })[] };
    const living = keys.filter(({ until }) => epochFromSeconds(until) > now);
    return living.map((jwk) => publicJwkOf(createPublicKey({ key: { ...jwk }, format: 'jwk' }), String(jwk.kid)));
  } catch {
    return undefined;
  }
}
