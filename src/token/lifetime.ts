import { after, between, days, type Epoch, earliest, epochFromSeconds, latest, type Millis, minutes } from './time.ts';

/** From when to when a token is good, and how that was learnt. */
export interface Lifetime {
  readonly issuedAt: Epoch;
  readonly expiresAt: Epoch;
  /** `assumed`: nobody said, so ten minutes from before the request was sent. */
  readonly lifeFrom: 'exp' | 'expires_in' | 'assumed';
}

export interface LifetimeHints {
  readonly expiresIn?: Millis | undefined;
  /** Before the request was sent: the latest point at which the token cannot have existed yet. */
  readonly sentAt: Epoch;
}

const assumedLife = minutes(10);
/** Nobody issues access tokens for longer: what says so is cut down to it, and a start further away than it is not believed (scenario 18). */
const longestLife = days(365);

/**
 * How long a token lives: exp - max(nbf, iat) of its claims; else `expires_in`, counted from before the request was sent;
 * else ten minutes. An `exp` that is no number is not used; one in the past is, however far away: an expired token is never
 * taken for a fresh one.
 */
export function lifetimeOf(claims: Readonly<Record<string, unknown>>, hints: LifetimeHints): Lifetime {
  const { expiresIn, sentAt } = hints;
  const exp = timeClaim(claims['exp']);
  if (exp !== undefined) {
    const issuedAt = startBefore(exp, claims, sentAt);
    return { issuedAt, expiresAt: earliest(exp, after(latest(issuedAt, sentAt), longestLife)), lifeFrom: 'exp' };
  }
  if (expiresIn !== undefined && expiresIn > 0) {
    const life = expiresIn > longestLife ? longestLife : expiresIn;
    return { issuedAt: sentAt, expiresAt: after(sentAt, life), lifeFrom: 'expires_in' };
  }
  return { issuedAt: sentAt, expiresAt: after(sentAt, assumedLife), lifeFrom: 'assumed' };
}

/** The later of `nbf` and `iat`; where they make no sense, the time of sending, or the end itself if that has passed. */
function startBefore(exp: Epoch, claims: Readonly<Record<string, unknown>>, sentAt: Epoch): Epoch {
  const starts = [timeClaim(claims['nbf']), timeClaim(claims['iat'])].filter((time) => time !== undefined);
  const start = latest(...starts);
  if (starts.length > 0 && start < exp && Math.abs(between(start, sentAt)) <= longestLife) return start;
  return earliest(sentAt, exp);
}

/**
 * A NumericDate (RFC 7519 section 2); fractions are allowed. Zero and less are 1970: some mean "never" by `exp: 0`, but whoever
 * verifies the token has to refuse it (section 4.1.4), so that it had better be refused here, where it is told.
 */
function timeClaim(value: unknown): Epoch | undefined {
  return typeof value === 'number' && !Number.isNaN(value) ? epochFromSeconds(Math.max(0, value)) : undefined;
}
