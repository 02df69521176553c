import { lifetimeTable } from '../token/lifetimes.ts';
import { after, between, days, type Epoch, earliest, type Millis } from '../token/time.ts';
import type { KnownFamily } from './family-table.ts';

/** How refresh tokens live (WLCG profile 1.3 section 4.3; RFC 9700 section 4.14). */
export interface RefreshTimes {
  /** One token, unused. */
  readonly life: Millis;
  /** All that come out of one grant, however often they rotate. */
  readonly cap: Millis;
  /** How long the one before stays good, for a client that never got our answer; it ends when the successor is first used. */
  readonly grace: Millis;
  /** Clients prove who they are, so that a token is replaced only when this share of its life has passed. */
  readonly rotateAt: number;
}

export const usualRefreshTimes: RefreshTimes = {
  life: lifetimeTable.refreshToken.recommended,
  cap: lifetimeTable.refreshToken.most,
  grace: days(1),
  rotateAt: 0.7,
};

/** What is kept of one refresh token. */
export interface RefreshRow {
  readonly family: string;
  readonly generation: number;
  /** `superseded`: its successor was made, and perhaps never arrived. `spent`: the successor was used. */
  readonly state: 'current' | 'superseded' | 'spent';
  readonly issuedAt: Epoch;
  readonly endsAt: Epoch;
  readonly supersededAt: Epoch | undefined;
  /** The successor, sealed so that only this token opens it. */
  readonly successor: string | undefined;
}

export type RefreshVerdict =
  /** Good, and stays the current one. */
  | { readonly kind: 'use' }
  /** Good, and old enough to be replaced. */
  | { readonly kind: 'rotate' }
  /** The answer with its successor was lost: the same successor is given again. */
  | { readonly kind: 'repeat'; readonly successor: string }
  | { readonly kind: 'ended'; readonly why: string }
  /** Two hold tokens of this family, and one of them should not. */
  | { readonly kind: 'replay'; readonly why: string };

/** What a refresh token that is presented is worth. Pure. */
export function judgeRefresh(row: RefreshRow, known: KnownFamily, now: Epoch, times: RefreshTimes): RefreshVerdict {
  if (known.revokedAt !== undefined) return { kind: 'ended', why: 'the refresh token was revoked' };
  if (known.family.endsAt <= now) return { kind: 'ended', why: 'the login this refresh token came from has ended' };
  if (row.state === 'spent')
    return { kind: 'replay', why: 'a refresh token was used again after its successor had been' };
  if (row.state === 'superseded') {
    const { supersededAt, successor } = row;
    const inGrace = supersededAt !== undefined && between(supersededAt, now) <= times.grace;
    if (inGrace && successor !== undefined) return { kind: 'repeat', successor };
    return { kind: 'replay', why: 'a refresh token was used again long after it had been replaced' };
  }
  if (row.endsAt <= now) return { kind: 'ended', why: 'the refresh token has expired' };
  const old = between(row.issuedAt, now) >= times.rotateAt * between(row.issuedAt, row.endsAt);
  return { kind: old ? 'rotate' : 'use' };
}

/** When a token made now ends: the cap does not move with rotation. */
export const refreshEnd = (now: Epoch, familyEnd: Epoch, { life }: RefreshTimes): Epoch =>
  earliest(after(now, life), familyEnd);
