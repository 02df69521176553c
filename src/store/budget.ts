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

/** A bucket that holds what one second brings (at least one), filled continuously. A clock that went back fills nothing. */
export function drawFrom(bucket: Bucket, want: number, perSecond: number, now: Epoch): BudgetDraw & Bucket {
  const capacity = Math.max(1, perSecond);
  const passed = Math.max(0, now - bucket.at);
  const filled = Math.min(capacity, bucket.level + (passed / 1000) * perSecond);
  const granted = Math.min(Math.max(0, want), Math.floor(filled));
  const level = filled - granted;
  const nextAt = level >= 1 ? now : epoch(now + Math.ceil(((1 - level) / perSecond) * 1000));
  return { granted, nextAt, level, at: now };
}

/** Takes requests from the bucket of an issuer, which all nodes share. */
export async function drawBudget(
  database: Database,
  issuer: string,
  want: number,
  perSecond: number,
  now: Epoch,
): Promise<BudgetDraw> {
  return await database.write(async (session) => {
    await session.change('INSERT INTO budget (issuer, level, at) VALUES ($1, $2, $3) ON CONFLICT (issuer) DO NOTHING', [
      issuer,
      Math.max(1, perSecond),
      now,
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
