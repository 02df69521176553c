import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodeJwt } from '../token/jwt.ts';
import { type Epoch, epochFromSeconds } from '../token/time.ts';
import type { PoolKey } from './idtoken-key.ts';

/** An IDTOKEN taken apart; holds nothing secret. */
export interface IdtokenFacts {
  readonly kind: 'idtoken';
  readonly keyId: string;
  readonly algorithm: string;
  readonly trustDomain: string;
  readonly identity: string;
  readonly scopes: readonly string[];
  readonly jti: string | undefined;
  readonly issuedAt: Epoch | undefined;
  readonly expiresAt: Epoch | undefined;
  /** Why a pool would not take it, and what is unusual; each a sentence. */
  readonly faults: readonly string[];
  readonly remarks: readonly string[];
}

export type IdtokenReading = IdtokenFacts | { readonly kind: 'refused'; readonly why: string };

/** A Map, since the name comes from whoever made the token: `constructor` is no algorithm. */
const digests: ReadonlyMap<unknown, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

/** Reads an IDTOKEN without its key. */
export function readIdtoken(text: string, now: Epoch): IdtokenReading {
  const decoded = decodeJwt(text);
  if (decoded.kind === 'opaque') return { kind: 'refused', why: 'it is no JWT' };
  if (decoded.kind === 'malformed') return { kind: 'refused', why: decoded.reason };
  const { header, claims } = decoded;
  const { alg, kid } = header;
  if (typeof alg !== 'string' || !digests.has(alg)) {
    return { kind: 'refused', why: 'it is no IDTOKEN, which is signed with a key that is shared (HS256)' };
  }
  const expiresAt = timeOf(claims['exp']);
  const issuedAt = timeOf(claims['iat']);
  const jti = textOf(claims['jti']);
  const scopes =
    textOf(claims['scope'])
      ?.split(/[\s,]+/)
      .filter((scope) => scope !== '') ?? [];
  const identity = textOf(claims['sub']) ?? '';
  const trustDomain = textOf(claims['iss']) ?? '';
  const keyId = textOf(kid) ?? '';
  const faults = [
    ...(keyId === '' ? ['it names no key (kid)'] : []),
    ...(trustDomain === '' ? ['it names no trust domain (iss)'] : []),
    ...(identity === '' ? ['it names no identity (sub)'] : []),
    ...(expiresAt !== undefined && expiresAt < now ? ['it has expired'] : []),
    ...(issuedAt !== undefined && issuedAt > now ? ['it is issued in the future; the clocks differ'] : []),
  ];
  const remarks = [
    ...(jti === undefined ? ['it has no id (jti), which newer releases of HTCondor demand'] : []),
    ...(expiresAt === undefined ? ['it never ends by itself'] : []),
    ...(scopes.length === 0 ? ['it has no scope, so that it allows all that its identity may'] : []),
    ...scopes
      .filter((scope) => !scope.startsWith('condor:/'))
      .map((scope) => `HTCondor passes over the scope ${scope}`),
  ];
  return {
    kind: 'idtoken',
    keyId,
    algorithm: alg,
    trustDomain,
    identity,
    scopes,
    jti,
    issuedAt,
    expiresAt,
    faults,
    remarks,
  };
}

/** Was the token signed with this key? */
export function isSignedWith(text: string, { key }: PoolKey): boolean {
  const dot = text.lastIndexOf('.');
  const decoded = decodeJwt(text);
  const digest = decoded.kind === 'jwt' ? digests.get(decoded.header['alg']) : undefined;
  if (digest === undefined) return false;
  const expected = createHmac(digest, key).update(text.slice(0, dot)).digest();
  const given = Buffer.from(text.slice(dot + 1), 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const timeOf = (value: unknown): Epoch | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? epochFromSeconds(value) : undefined;
