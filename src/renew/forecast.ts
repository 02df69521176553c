import { grantOf } from '../acquire/grants.ts';
import type { Config } from '../config/config.ts';
import type { AccountRecord, WishRecord } from '../store/records.ts';
import type { AccountName, WishName } from '../token/names.ts';
import { after, between, type Epoch, hours, type Millis, seconds } from '../token/time.ts';
import { type Gap, type SimulatedIssuer, type SimulatedWish, simulate } from './simulation.ts';

export interface ForecastOptions {
  readonly now: Epoch;
  readonly length: Millis;
  /** Issuers that are away from now on, for so long; named as `status` names them. */
  readonly down: readonly { readonly issuer: string; readonly length: Millis }[];
  readonly chance: () => number;
}

export interface Forecast {
  /** Wishes that have no token for a while, in order of time. */
  readonly gaps: readonly { readonly wish: WishName; readonly from: Epoch; readonly to: Epoch | null }[];
  /** Logins whose refresh token ends within the time looked at. */
  readonly logins: readonly { readonly account: AccountName; readonly endsAt: Epoch }[];
  /** Names in `down` that no wish asks. */
  readonly unknownIssuers: readonly string[];
  readonly requests: readonly { readonly issuer: string; readonly requests: number }[];
}

/** A token of a wish that has none yet is taken to live this long. */
const assumedLife = hours(1);
const latency = seconds(1);

/** What will run out, and when, if issuers are away: the engine's own schedule on a simulated clock. Pure. */
export function forecast(
  config: Config,
  records: { readonly wishes: readonly WishRecord[]; readonly accounts: readonly AccountRecord[] },
  options: ForecastOptions,
): Forecast {
  const { now } = options;
  const to = after(now, options.length);
  const known = new Map(records.wishes.map((record) => [record.name, record]));
  const accounts = new Map(records.accounts.map((record) => [record.name, record]));
  const names: WishName[] = [];
  const wishes: SimulatedWish[] = [];
  const issuers = new Map<string, number>();
  for (const wish of config.wishes.values()) {
    const account = config.accounts.get(wish.account);
    if (account === undefined) continue;
    const issuer = grantOf(account).issuerKey(account, accounts.get(account.name));
    if (!issuers.has(issuer)) issuers.set(issuer, issuers.size);
    names.push(wish.name);
    wishes.push(simulated(issuers.get(issuer) ?? 0, known.get(wish.name), now));
  }
  const scenario = [...issuers.keys()].map((issuer) => issuerOf(config, issuer, options));
  const { gaps, requests } = simulate({ from: now, to, wishes, issuers: scenario, latency, chance: options.chance });
  return {
    gaps: gaps.toSorted((a, b) => a.from - b.from).map((gap) => named(gap, names)),
    logins: endingLogins(records.accounts, config, to),
    unknownIssuers: options.down.map(({ issuer }) => issuer).filter((issuer) => !issuers.has(issuer)),
    requests: [...issuers.keys()].map((issuer, index) => ({ issuer, requests: requests[index] ?? 0 })),
  };
}

function simulated(issuer: number, record: WishRecord | undefined, now: Epoch): SimulatedWish {
  const token = record?.token ?? null;
  return {
    issuer,
    life: token === null ? assumedLife : between(token.issuedAt, token.expiresAt),
    expiresAt: token?.expiresAt ?? null,
    dueAt: record?.dueAt ?? now,
  };
}

function issuerOf(config: Config, issuer: string, { now, down }: ForecastOptions): SimulatedIssuer {
  const outages = down
    .filter((outage) => outage.issuer === issuer)
    .map(({ length }) => ({ from: now, to: after(now, length) }));
  return { limits: config.issuerLimits.get(issuer) ?? config.limits, outages };
}

function named({ wish, from, to }: Gap, names: readonly WishName[]): Forecast['gaps'][number] {
  return { wish: names[wish] as WishName, from, to };
}

function endingLogins(records: readonly AccountRecord[], config: Config, to: Epoch): Forecast['logins'] {
  return records
    .flatMap(({ name, expiry }) =>
      expiry.kind === 'known' && expiry.at < to && config.accounts.has(name)
        ? [{ account: name, endsAt: expiry.at }]
        : [],
    )
    .toSorted((a, b) => a.endsAt - b.endsAt);
}
