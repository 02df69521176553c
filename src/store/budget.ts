import { type Epoch, epoch } from '../token/time.ts';
import type { Database } from './database.ts';

export interface BudgetDraw {
  readonly granted: number;
  /** When the next request is there, if fewer were granted than wanted. */
  readonly nextAt: Epoch;
}

export interface Bucket {
  readonly level: number;
  readonly at: number;
}

/** Clocks of nodes differ by less than this; a bucket filled later than that was filled by a clock that was wrong. */
const skew = 1_000;

/**
 * A bucket that holds what a tenth of a second brings (at least one), filled continuously, and so much slower that no second,
 * wherever it begins, brings more than `perSecond` (rounded up).
 */
export function drawFrom(bucket: Bucket, want: number, perSecond: number, now: Epoch): BudgetDraw & Bucket {
  const capacity = capacityOf(perSecond);
  const perMilli = (perSecond - capacity + 1) / 1000;
  // A clock that is behind fills nothing; one that was set back starts again.
  const at = bucket.at - now > skew ? now : Math.max(bucket.at, now);
  const filled = Math.min(capacity, bucket.level + Math.max(0, at - bucket.at) * perMilli);
  const granted = Math.min(Math.max(0, want), Math.floor(filled));
  const level = filled - granted;
  const nextAt = level >= 1 ? now : epoch(Math.ceil(at + (1 - level) / perMilli));
  return { granted, nextAt, level, at };
}

/** Full, as it is before the first draw. */
export const fullBucket = (perSecond: number, now: Epoch): Bucket => ({ level: capacityOf(perSecond), at: now });

const capacityOf = (perSecond: number): number => Math.max(1, Math.floor(perSecond / 10));

/** Takes requests from the bucket of an issuer, which all nodes share. */
export async function drawBudget(
  database: Database,
  issuer: string,
  want: number,
  perSecond: number,
  now: Epoch,
): Promise<BudgetDraw> {
  return await database.write(async (session) => {
    const full = fullBucket(perSecond, now);
    await session.change('INSERT INTO budget (issuer, level, at) VALUES ($1, $2, $3) ON CONFLICT (issuer) DO NOTHING', [
      issuer,
      full.level,
      full.at,
    ]);
    const [row] = await session.rows(`SELECT level, at FROM budget WHERE issuer = $1 ${database.sql.forUpdate}`, [
      issuer,
    ]);
    const bucket = { level: Number(row?.['level'] ?? 0), at: Number(row?.['at'] ?? now) };
    const { granted, nextAt, level, at } = drawFrom(bucket, want, perSecond, now);
    await session.change('UPDATE budget SET level = $1, at = $2 WHERE issuer = $3', [level, at, issuer]);
    return { granted, nextAt };
  });
}
