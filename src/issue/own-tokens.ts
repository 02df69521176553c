import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { type Engine, takeTurn } from '../mint/engine.ts';
import type { Issuer } from '../mint/issuer.ts';
import type { PublicJwk } from '../mint/signing-key.ts';
import type { Database, Session } from '../store/database.ts';
import { audiencesOf } from '../token/audience.ts';
import { decodeJwt } from '../token/jwt.ts';
import { type Epoch, epochFromSeconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';

/** An access token that we have signed, and that has not ended. */
export interface OwnToken {
  readonly jti: string;
  readonly clientId: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
  readonly expiresAt: Epoch;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Reads access tokens of this issuer back. */
export class OwnTokens {
  readonly #issuer: Issuer;
  readonly #clock: Pick<Clock, 'now'>;
  /** By the key itself, not by its name: a kid could be given to another key. */
  readonly #keys = new WeakMap<PublicJwk, KeyObject>();

  constructor(issuer: Issuer, clock: Pick<Clock, 'now'>) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /**
   * Undefined for everything that is not an access token of ours, signed with a key that is still published, and alive. Other
   * kinds of JWT are of another `typ`, or signed with other keys (ISS-13). Says nothing about revocation.
   */
  async read(text: string): Promise<OwnToken | undefined> {
    const decoded = decodeJwt(text);
    if (decoded.kind !== 'jwt') return undefined;
    const { header, claims } = decoded;
    const { url, profile } = this.#issuer.settings;
    if (header['typ'] !== (profile === 'at+jwt' ? 'at+jwt' : 'JWT') || claims['iss'] !== url) return undefined;
    const key = (await this.#issuer.keys()).find(({ kid }) => kid === header['kid']);
    if (key === undefined) return undefined;
    try {
      await compactVerify(text, this.#keyOf(key.jwk), { algorithms: [key.algorithm] });
    } catch {
      return undefined;
    }
    const token = ownToken(claims);
    return token !== undefined && token.expiresAt > this.#clock.now() ? token : undefined;
  }

  #keyOf(jwk: PublicJwk): KeyObject {
    const known = this.#keys.get(jwk);
    if (known !== undefined) return known;
    const made = createPublicKey({ key: jwk as unknown as JsonWebKey, format: 'jwk' });
    this.#keys.set(jwk, made);
    return made;
  }
}

function ownToken(claims: Readonly<Record<string, unknown>>): OwnToken | undefined {
  const { jti, client_id, sub, exp, scope } = claims;
  const audiences = audiencesOf(claims);
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof exp !== 'number' || audiences === undefined) {
    return undefined;
  }
  return {
    jti,
    clientId: typeof client_id === 'string' ? client_id : sub,
    subject: sub,
    audiences,
    scopes: typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : [],
    expiresAt: epochFromSeconds(exp),
    claims,
  };
}

/** Was it revoked? Within a transaction, where something is signed on the strength of it: revocation wins (scenario 42). */
export async function isRevoked(source: Pick<Database, 'read'> | Session, jti: string): Promise<boolean> {
  const sql = 'SELECT 1 AS yes FROM issuer_revoked WHERE jti = $1';
  const rows = 'read' in source ? await source.read(sql, [jti]) : await source.rows(sql, [jti]);
  return rows.length > 0;
}

/**
 * Of those who sign on the strength of a token and those who revoke it, one goes after the other: to be called before either, in
 * their transactions. A token that was revoked meanwhile is then seen to be (scenario 42).
 */
export const holdToken = (session: Session, engine: Engine, jti: string): Promise<void> =>
  takeTurn(session, engine, `token ${jti}`);

/** False if it was revoked already. */
export async function revokeToken(session: Session, token: OwnToken, now: Epoch): Promise<boolean> {
  const changed = await session.change(
    'INSERT INTO issuer_revoked (jti, at, until) VALUES ($1, $2, $3) ON CONFLICT (jti) DO NOTHING',
    [token.jti, now, token.expiresAt],
  );
  return changed === 1;
}
