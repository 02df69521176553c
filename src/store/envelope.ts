import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import { Secret, type SecretKind } from '../token/secret.ts';
import { someRandomBytes } from '../world/real-random.ts';
import type { SealBinding, Sealer } from './sealer.ts';

const version = 1;
const idLength = 8;
const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const headLength = 1 + idLength;
const boxed = nonceLength + tagLength;
const bodyAt = headLength + boxed + keyLength;

/** How often a data key seals before there is a new one: far below what random nonces allow, and 3 times as fast as one each. */
const sealsPerDataKey = 1_000;
/** How many unwrapped data keys are remembered. */
const rememberedKeys = 64;

/** AES-256-GCM as one block: nonce, tag, ciphertext. */
export function box(key: KeyObject, plain: Buffer, bound: Buffer): Buffer {
  const nonce = someRandomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

export function unbox(key: KeyObject, block: Buffer, bound: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, block.subarray(0, nonceLength)).setAAD(bound);
  decipher.setAuthTag(block.subarray(nonceLength, boxed));
  return Buffer.concat([decipher.update(block.subarray(boxed)), decipher.final()]);
}

/** Names a key without giving it away. */
export function keyIdOf(key: Buffer): string {
  return createHash('sha256')
    .update('tokeep sealing key\0')
    .update(key)
    .digest('hex')
    .slice(0, 2 * idLength);
}

/** What the ciphertext is bound to. Lengths come first, so that no two bindings give the same bytes. */
function boundTo(head: Buffer, kind: SecretKind, { record, generation }: SealBinding): Buffer {
  return Buffer.concat([head, Buffer.from(JSON.stringify([kind, record, generation]))]);
}

/** The key id an envelope names, or undefined if it is not an envelope. */
export function envelopeKeyId(envelope: string): string | undefined {
  const bytes = Buffer.from(envelope, 'base64');
  const whole = bytes.length >= bodyAt + boxed && bytes[0] === version;
  return whole ? bytes.subarray(1, headLength).toString('hex') : undefined;
}

const damaged = (what: string) => new Fault('seal-damaged', `the sealed secret of ${what} does not open`);

/** Data keys, wrapped under the host key. */
class DataKeys {
  readonly #hostKey: KeyObject;
  readonly #head: Buffer;
  readonly #known = new Map<string, KeyObject>();
  #current: { readonly key: KeyObject; readonly wrapped: Buffer } | undefined;
  #seals = 0;

  constructor(hostKey: Buffer, head: Buffer) {
    this.#hostKey = createSecretKey(hostKey);
    this.#head = head;
  }

  forSealing(): { readonly key: KeyObject; readonly wrapped: Buffer } {
    if (this.#current === undefined || this.#seals >= sealsPerDataKey) {
      const bytes = randomBytes(keyLength);
      this.#current = { key: createSecretKey(bytes), wrapped: box(this.#hostKey, bytes, this.#head) };
      this.#seals = 0;
    }
    this.#seals += 1;
    return this.#current;
  }

  /** Throws what node:crypto throws when it was not wrapped under our key. */
  unwrap(wrapped: Buffer): KeyObject {
    const name = wrapped.toString('latin1');
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const key = createSecretKey(unbox(this.#hostKey, wrapped, this.#head));
    if (this.#known.size >= rememberedKeys) this.#known.clear();
    this.#known.set(name, key);
    return key;
  }
}

/**
 * Seals under a host key of 32 bytes. An envelope is the base64 of: version (1 byte), key id (8), a data key boxed under the host
 * key (12 + 16 + 32), and the secret boxed under the data key (12 + 16 + n), bound to kind, record and generation.
 */
export function keySealer(hostKey: Buffer): Sealer {
  const keyId = keyIdOf(hostKey);
  const head = Buffer.concat([Buffer.of(version), Buffer.from(keyId, 'hex')]);
  const dataKeys = new DataKeys(hostKey, head);
  return {
    keyId,
    seal(secret, binding) {
      const { key, wrapped } = dataKeys.forSealing();
      const body = box(key, Buffer.from(secret.reveal()), boundTo(head, secret.kind, binding));
      return Buffer.concat([head, wrapped, body]).toString('base64');
    },
    open(kind, envelope, binding) {
      const named = envelopeKeyId(envelope);
      if (named === undefined) throw damaged(binding.record);
      if (named !== keyId) {
        throw new Fault(
          'seal-wrong-key',
          `the secret of ${binding.record} is sealed with key ${named}, and the sealing key at hand is ${keyId}`,
          { hint: 'run tokeep as the user and with the key it was set up with' },
        );
      }
      const bytes = Buffer.from(envelope, 'base64');
      try {
        const dataKey = dataKeys.unwrap(bytes.subarray(headLength, bodyAt));
        return new Secret(kind, unbox(dataKey, bytes.subarray(bodyAt), boundTo(head, kind, binding)).toString('utf8'));
      } catch {
        throw damaged(binding.record);
      }
    },
  };
}

/** Seals with the first key and opens with any of them. */
export function ringSealer(first: Buffer, others: readonly Buffer[]): Sealer {
  const own = keySealer(first);
  const more = others.map(keySealer);
  return {
    ...own,
    alsoOpens: more.map(({ keyId }) => keyId),
    open(kind, envelope, binding) {
      const named = envelopeKeyId(envelope);
      const fitting = more.find(({ keyId }) => keyId === named) ?? own;
      return fitting.open(kind, envelope, binding);
    },
  };
}
