import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import type { Session } from '../store/database.ts';
import { decodeJwt } from '../token/jwt.ts';
import { between, type Epoch, earliest, epoch, epochFromSeconds, minutes, seconds } from '../token/time.ts';

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A client assertion (RFC 7523 section 3) whose signature and claims hold; whether it was used before is another question. */
export type AssertionAnswer =
  | { readonly kind: 'holds'; readonly jti: string; readonly until: Epoch }
  | { readonly kind: 'refused'; readonly why: string };

type AssertionAlgorithm = 'ES256' | 'RS256';

export interface AssertionRule {
  readonly clientId: string;
  /** Undefined where there is no such client, or it has none: the same is done then, and the answer is always no. */
  readonly key: { readonly public: KeyObject; readonly algorithm: AssertionAlgorithm } | undefined;
  /** The issuer, which is what rfc7523bis wants; the token endpoint besides, which is what clients have sent so far. */
  readonly audiences: readonly string[];
  readonly now: Epoch;
}

const longestLife = minutes(5);
const tolerance = seconds(60);
/** Text that every database keeps as it is. */
const fitJti = /^[^\0\ud800-\udfff]{1,255}$/u;
/** Other kinds of JWT have types of their own, `at+jwt` for one, and cannot stand in for an assertion (RFC 8725 section 3.11). */
const types = new Set<unknown>([undefined, 'JWT', 'jwt', 'client-authentication+jwt']);

/** Who an assertion claims to be from, unverified, to look the key up. */
export function assertedClient(assertion: string): string | undefined {
  const decoded = decodeJwt(assertion);
  const subject = decoded.kind === 'jwt' ? decoded.claims['sub'] : undefined;
  return typeof subject === 'string' ? subject : undefined;
}

export async function judgeAssertion(assertion: string, rule: AssertionRule): Promise<AssertionAnswer> {
  const decoded = decodeJwt(assertion);
  if (decoded.kind !== 'jwt') return refused('the assertion is not a JWT');
  const { header, claims } = decoded;
  if (!types.has(header['typ'])) return refused('the assertion is a JWT of another kind');
  const algorithm = header['alg'];
  if (algorithm !== 'ES256' && algorithm !== 'RS256') return refused('the assertion is not signed with ES256 or RS256');
  const fits = rule.key?.algorithm === algorithm;
  const key = fits && rule.key !== undefined ? rule.key.public : standIns[algorithm]();
  try {
    await compactVerify(assertion, key, { algorithms: [algorithm] });
  } catch {
    return refused('the signature of the assertion does not fit the key of the client');
  }
  if (!fits) return refused('the client has no key of this kind');
  return judgeClaims(claims, rule);
}

/**
 * Keys that nobody has, one of each kind. What is checked where a client has none: a refusal that comes without the work of a
 * signature would tell who has a key here (ISS-14).
 */
const standIns = { ES256: once(standInEc), RS256: once(standInRsa) } as const;

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function standInEc(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey;
}

/** Any odd number of 2048 bits is as much work as a true modulus, without the time that making one takes. */
function standInRsa(): KeyObject {
  const n = createHash('shake256', { outputLength: 256 }).update('no client has this key').digest();
  n[0] = (n[0] ?? 0) | 0x80;
  n[255] = (n[255] ?? 0) | 1;
  return createPublicKey({ key: { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' }, format: 'jwk' });
}

function judgeClaims(claims: Readonly<Record<string, unknown>>, rule: AssertionRule): AssertionAnswer {
  const { iss, sub, aud, exp, nbf, iat, jti } = claims;
  if (iss !== rule.clientId || sub !== rule.clientId) return refused('iss and sub of the assertion are not the client');
  // One audience alone: an assertion that several servers accept could be carried from one to the other.
  const audience = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  if (typeof audience !== 'string' || !rule.audiences.includes(audience)) {
    return refused('aud of the assertion is not this issuer');
  }
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return refused('the assertion has no exp');
  const until = epochFromSeconds(exp);
  if (until <= rule.now) return refused('the assertion has expired');
  // From `iat` on where it says so: one that is made for a day would else be good in its last minutes.
  const from = typeof iat === 'number' ? earliest(rule.now, epochFromSeconds(iat)) : rule.now;
  if (between(from, until) > longestLife + tolerance) return refused('the assertion lives longer than five minutes');
  for (const start of [nbf, iat]) {
    if (start === undefined) continue;
    if (typeof start !== 'number' || between(rule.now, epochFromSeconds(start)) > tolerance) {
      return refused('the assertion is not valid yet');
    }
  }
  if (typeof jti !== 'string' || !fitJti.test(jti)) return refused('the assertion has no jti, or one that is too long');
  return { kind: 'holds', jti, until: epoch(Math.ceil(until)) };
}

const refused = (why: string): AssertionAnswer => ({ kind: 'refused', why });

/** Uses an assertion up, for all nodes; false if it was used before. */
export async function spendAssertion(
  session: Session,
  { clientId, jti, until }: { readonly clientId: string; readonly jti: string; readonly until: Epoch },
): Promise<boolean> {
  const spent = await session.change(
    'INSERT INTO issuer_spent (client, jti, until) VALUES ($1, $2, $3) ON CONFLICT (client, jti) DO NOTHING',
    [clientId, jti, until],
  );
  return spent === 1;
}
