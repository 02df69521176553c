import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import { Secret, type SecretKind } from '../token/secret.ts';
import type { SealBinding, Sealer } from './sealer.ts';

const version = 1;
const idLength = 8;
const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const headLength = 1 + idLength;
const boxed = nonceLength + tagLength;

/** AES-256-GCM as one block: nonce, tag, ciphertext. */
export function box(key: Buffer, plain: Buffer, bound: Buffer): Buffer {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

export function unbox(key: Buffer, block: Buffer, bound: Buffer): Buffer {
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
  const whole = bytes.length >= headLength + boxed + keyLength + boxed && bytes[0] === version;
  return whole ? bytes.subarray(1, headLength).toString('hex') : undefined;
}

const damaged = (what: string) => new Fault('seal-damaged', `the sealed secret of ${what} does not open`);

/**
 * Seals under a host key of 32 bytes. An envelope is the base64 of: version (1 byte), key id (8), a data key of its own boxed
 * under the host key (12 + 16 + 32), and the secret boxed under the data key (12 + 16 + n), bound to kind, record and generation.
 */
export function keySealer(key: Buffer): Sealer {
  const keyId = keyIdOf(key);
  const head = Buffer.concat([Buffer.of(version), Buffer.from(keyId, 'hex')]);
  return {
    keyId,
    seal(secret, binding) {
      const dataKey = randomBytes(keyLength);
      const body = box(dataKey, Buffer.from(secret.reveal()), boundTo(head, secret.kind, binding));
      return Buffer.concat([head, box(key, dataKey, head), body]).toString('base64');
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
      const bodyAt = headLength + boxed + keyLength;
      try {
        const dataKey = unbox(key, bytes.subarray(headLength, bodyAt), head);
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
