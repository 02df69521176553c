import { createPublicKey, type KeyObject } from 'node:crypto';
import { hasPrivateHalf } from '../token/jwk.ts';
import type { SigningAlgorithm } from './algorithm.ts';
import { isTooDeep } from './strict-json.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** A key that signatures are checked with; it knows the one algorithm it is for (RFC 8725 section 3.1). */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithm: SigningAlgorithm;
  readonly key: KeyObject;
}

export interface KeySet {
  readonly keys: readonly VerificationKey[];
  readonly byKid: ReadonlyMap<string, VerificationKey>;
  /** What is odd in it, in sentences: keys that are passed over, and what was mended silently. */
  readonly remarks: readonly string[];
}

export type KeySetReading =
  | { readonly kind: 'keys'; readonly set: KeySet }
  | { readonly kind: 'refused'; readonly why: string };

/** Of a whole key set (VER-07). */
export const largestKeySet = 256 * 1024;
export const mostKeys = 64;

/**
 * Reads a JWK set (RFC 7517 section 5). Tolerant where issuers of the field need it: base64url with padding, coordinates without
 * their leading zeros, EC keys without `crv`, other keys beside the ones for us. Strict where it counts: the limits, the sizes of
 * keys, points on the curve, and a key whose private half stands there, which anybody can sign with. Of several keys with one kid the first one counts, as it does in libscitokens.
 */
export function readKeySet(text: string): KeySetReading {
  if (text.length > largestKeySet) return refused(`it is larger than ${largestKeySet / 1024} KiB`);
  const listed = keysIn(text);
  if (listed === undefined) return refused('it is not a JSON object with a list of keys');
  if (isTooDeep(text)) return refused('it is nested too deeply');
  if (listed.length > mostKeys) return refused(`it has ${listed.length} keys, and more than ${mostKeys} are not read`);
  const readings = listed.map(readKey);
  const open = readings.flatMap(({ open: one }) => one ?? []);
  const keys: VerificationKey[] = [];
  const byKid = new Map<string, VerificationKey>();
  const remarks: string[] = [];
  for (const [index, reading] of readings.entries()) {
    const name = nameOf(listed[index], index);
    remarks.push(...reading.remarks.map((remark) => `${name} ${remark}`));
    if (reading.key === undefined) continue;
    const { kid, key } = reading.key;
    if (open.some((one) => one.equals(key))) {
      remarks.push(`${name} is passed over: the same key stands there with its private half`);
      continue;
    }
    if (kid !== undefined && byKid.has(kid)) {
      remarks.push(`${name} is passed over: an earlier key has the same kid`);
      continue;
    }
    keys.push(reading.key);
    if (kid !== undefined) byKid.set(kid, reading.key);
  }
  return { kind: 'keys', set: { keys, byKid, remarks } };
}

const refused = (why: string): KeySetReading => ({ kind: 'refused', why });

function keysIn(text: string): readonly unknown[] | undefined {
  try {
    const keys = (JSON.parse(text) as { readonly keys?: unknown } | null)?.keys;
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(jwk: unknown, index: number): string {
  const kid = isObject(jwk) ? jwk['kid'] : undefined;
  return typeof kid === 'string' ? `key ${JSON.stringify(kid.slice(0, 100))}` : `key number ${index + 1}`;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface KeyReading {
  readonly key?: VerificationKey;
  /** A key that anybody can sign with. */
  readonly open?: KeyObject;
  readonly remarks: readonly string[];
}

const passedOver = (why: string): KeyReading => ({ remarks: [`is passed over: ${why}`] });

function readKey(jwk: unknown): KeyReading {
  if (!isObject(jwk)) return passedOver('it is not a JSON object');
  const { kid, use } = jwk;
  const material = () => (jwk['kty'] === 'EC' ? readEc(jwk) : jwk['kty'] === 'RSA' ? readRsa(jwk) : otherType(jwk));
  if (jwk['kty'] !== 'oct' && hasPrivateHalf(jwk)) {
    const found = material();
    const why = 'it has its private half in it: whoever has read it can sign with it';
    return { ...passedOver(why), ...(found.kind === 'fit' ? { open: found.key } : {}) };
  }
  if (kid !== undefined && typeof kid !== 'string') return passedOver('its kid is not text');
  if (use !== undefined && use !== 'sig') return passedOver(`it is not for signatures (use ${show(use)})`);
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return passedOver('it is not for verifying (key_ops)');
  }
  const reading = material();
  if (reading.kind === 'unfit') return passedOver(reading.why);
  const nameless = kid === undefined ? ['has no kid, which tokens need to name it'] : [];
  return {
    key: { kid, algorithm: reading.algorithm, key: reading.key },
    remarks: [...nameless, ...reading.remarks],
  };
}

type Material =
  | {
      readonly kind: 'fit';
      readonly algorithm: SigningAlgorithm;
      readonly key: KeyObject;
      readonly remarks: readonly string[];
    }
  | { readonly kind: 'unfit'; readonly why: string };

const unfit = (why: string): Material => ({ kind: 'unfit', why });
const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? 'nothing';
const otherType = (jwk: JsonObject): Material => unfit(`its type is ${show(jwk['kty'])}; only EC and RSA are used`);

/** Old SciTokens issuers leave `crv` out; with `alg` ES256 nothing but P-256 can be meant. */
function readEc(jwk: JsonObject): Material {
  const { alg, crv, x, y } = jwk;
  if (alg !== undefined && alg !== 'ES256')
    return unfit(`its algorithm is ${show(alg)}; only ES256 and RS256 are used`);
  if (crv === undefined && alg === undefined) return unfit('it names neither its curve nor its algorithm');
  if (crv !== undefined && crv !== 'P-256') return unfit(`its curve is ${show(crv)}; only P-256 is used`);
  const remarks = crv === undefined ? ['does not name its curve (crv), which others refuse'] : [];
  const [first, second] = [bytesOf(x), bytesOf(y)];
  if (first === undefined || second === undefined) return unfit('its coordinates are not base64url');
  if (isPadded(x) || isPadded(y)) remarks.push(padded);
  if (first.length > 32 || second.length > 32) return unfit('its coordinates are too long');
  if (first.length < 32 || second.length < 32) {
    remarks.push('has a coordinate without its leading zeros, which others may refuse');
  }
  const key = imported({ kty: 'EC', crv: 'P-256', x: filled(first), y: filled(second) });
  return key === undefined ? unfit('it is no point of its curve') : { kind: 'fit', algorithm: 'ES256', key, remarks };
}

const leastModulus = 2048;
/** A larger one only costs time to whoever verifies. */
const mostModulus = 8192;

function readRsa(jwk: JsonObject): Material {
  const { alg, n, e } = jwk;
  if (alg !== undefined && alg !== 'RS256')
    return unfit(`its algorithm is ${show(alg)}; only ES256 and RS256 are used`);
  const [modulus, exponent] = [bytesOf(n), bytesOf(e)];
  if (modulus === undefined || exponent === undefined) return unfit('its modulus or exponent is not base64url');
  const remarks = isPadded(n) || isPadded(e) ? [padded] : [];
  const bits = bitLength(modulus);
  if (bits < leastModulus || bits > mostModulus) {
    return unfit(`its modulus has ${bits} bits; ${leastModulus} to ${mostModulus} are accepted`);
  }
  if (!isGoodExponent(exponent)) return unfit('its exponent is not an odd number from 3 to 2^32');
  const key = imported({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') });
  return key === undefined ? unfit('it is no RSA key') : { kind: 'fit', algorithm: 'RS256', key, remarks };
}

/** With exponent 1 every signature is right; a huge one makes each check slow. */
function isGoodExponent(bytes: Buffer): boolean {
  const value = Number(BigInt(`0x${bytes.toString('hex') || '0'}`));
  return value >= 3 && value <= 2 ** 32 && value % 2 === 1;
}

function bitLength(bytes: Buffer): number {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? 0 : (bytes.length - start) * 8 - Math.clz32(bytes[start] ?? 0) + 24;
}

const padded = 'is written with padding ("="), which others may refuse';
const isPadded = (value: unknown): boolean => typeof value === 'string' && value.endsWith('=');

function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]+={0,2}$/.test(value)) return undefined;
  return Buffer.from(value, 'base64url');
}

const filled = (coordinate: Buffer): string =>
  Buffer.concat([Buffer.alloc(32 - coordinate.length), coordinate]).toString('base64url');

function imported(key: Readonly<Record<string, string>>): KeyObject | undefined {
  try {
    return createPublicKey({ format: 'jwk', key });
  } catch {
    return undefined;
  }
}
