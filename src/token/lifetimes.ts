import { days, hours, type Millis, minutes, seconds } from './time.ts';

export interface LifetimeBounds {
  readonly recommended: Millis;
  readonly least: Millis;
  readonly most: Millis;
}

export type LifetimeKind = 'accessToken' | 'refreshToken' | 'keyCacheRefresh' | 'keyCacheExpiry' | 'signingKey';

/** How long things live (WLCG profile 1.3, "Token lifetime guidance", as AARC-G081 has it). A month is a twelfth of 365 days. */
export const lifetimeTable: Readonly<Record<LifetimeKind, LifetimeBounds>> = {
  accessToken: { recommended: hours(1), least: minutes(15), most: hours(6) },
  refreshToken: { recommended: days(30), least: days(1), most: days(400) },
  keyCacheRefresh: { recommended: hours(6), least: hours(1), most: hours(6) },
  keyCacheExpiry: { recommended: days(2), least: days(1), most: days(4) },
  signingKey: { recommended: days(182.5), least: days(2), most: days(365) },
};

/** How far an issuer dates `nbf` back, so that a verifier whose clock is behind accepts the token at once (WLCG profile 1.3). */
export const clockBackdate = seconds(60);

export interface OwnLifetimes {
  readonly recommended?: Millis | undefined;
  /** May be above that of the table: the profile leaves longer lives to those who agreed on them, for instance for pilots. */
  readonly most?: Millis | undefined;
}

/**
 * The life to give. A wish for more than the most is cut down to it, not refused (ISS-10); one for less than the least is met,
 * since a shorter life does no harm. Without a wish it is the recommended one.
 */
export function boundLifetime(
  wanted: Millis | undefined,
  kind: LifetimeKind,
  own: OwnLifetimes = {},
): { readonly lifetime: Millis; readonly cut: boolean } {
  const bounds = lifetimeTable[kind];
  const most = own.most ?? bounds.most;
  const asked = wanted ?? own.recommended ?? bounds.recommended;
  // Written this way round so that what is no number is cut, too.
  const fits = asked <= most;
  return { lifetime: fits ? asked : most, cut: !fits && wanted !== undefined };
}
