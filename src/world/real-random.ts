import { randomBytes } from 'node:crypto';
import type { Random } from './random.ts';

/** Asking the system for a few bytes takes as long as asking for some thousand. */
const poolLength = 4096;
let pool = Buffer.alloc(0);
let used = 0;

/** Bytes fit for keys and nonces, each handed out once. */
export function someRandomBytes(length: number): Buffer {
  if (length > pool.length - used) {
    pool = randomBytes(Math.max(poolLength, length));
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + length));
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}

export const realRandom: Random = {
  unit: () => someRandomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => randomBytes(length),
  id: () => someRandomBytes(16).toString('base64url'),
};
