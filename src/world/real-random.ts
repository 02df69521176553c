import { randomBytes } from 'node:crypto';
import type { Random } from './random.ts';

export const realRandom: Random = {
  unit: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => randomBytes(length),
  id: () => randomBytes(16).toString('base64url'),
};
