import { type Argon2Parameters, argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import type { Secret } from '../token/secret.ts';

/** `length:salt:nonce:ciphertext`, all but the length in hex. */
const line = /^(\d{1,9}):([0-9a-f]{32}):([0-9a-f]{48}):((?:[0-9a-f]{2})+)$/i;

/** What libsodium derived keys with over the years; the file does not say which. */
const derivations = [
  { algorithm: 'argon2id', passes: 2, memory: 65_536 },
  { algorithm: 'argon2i', passes: 4, memory: 32_768 },
] as const;

/** Opens the one line that agents before 2.1.0 wrote. Undefined when it is no such line or the password is wrong, which cannot be told apart. */
export async function openLegacyAgentFile(text: string, password: Secret<'password'>): Promise<string | undefined> {
  const parts = line.exec(text.trim());
  if (parts === null) return undefined;
  const [, length = '', salt = '', nonce = '', sealedHex = ''] = parts;
  const sealed = Buffer.from(sealedHex, 'hex');
  if (sealed.length !== Number(length)) return undefined;
  for (const { algorithm, passes, memory } of derivations) {
    const parameters: Argon2Parameters = {
      message: Buffer.from(password.reveal(), 'utf8'),
      nonce: Buffer.from(salt, 'hex'),
      parallelism: 1,
      tagLength: 32,
      memory,
      passes,
    };
    const key = await promisify(argon2)(algorithm, parameters);
    try {
      return Buffer.from(xsalsa20poly1305(key, Buffer.from(nonce, 'hex')).decrypt(sealed)).toString('utf8');
    } catch {
      // The other derivation may fit.
    }
  }
  return undefined;
}
