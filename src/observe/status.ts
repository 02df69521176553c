import type { Account, Config, Wish } from '../config/config.ts';
import { type ExitCode, worstExit } from '../fault/codes.ts';
import type { AccountRecord, DeliveryRecord, IssuerRecord, WishRecord } from '../store/records.ts';
import type { WishName } from '../token/names.ts';
import { between, type Epoch } from '../token/time.ts';
import { byUrgency, type Condition, exitOf } from './condition.ts';
import { conditionsOf, type Records, type Wanted } from './conditions.ts';
import { neverFetched } from './state-conditions.ts';

/**
 * - `valid`, `due`: a good token; nothing wrong, or about to be renewed
 * - `retrying`, `stuck`: a good token whose renewal failed and is tried again, or waits for a person
 * - `expired`: the token has run out
 * - `waiting`: there has never been a token
 */
export type WishState = 'valid' | 'due' | 'retrying' | 'stuck' | 'expired' | 'waiting';
export const wishStates: readonly WishState[] = ['valid', 'due', 'retrying', 'stuck', 'expired', 'waiting'];

export interface TargetStatus {
  readonly id: string;
  readonly state: 'delivered' | 'outdated' | 'failing' | 'waiting';
  readonly deliveredAt: Epoch | null;
}

export interface WishStatus {
  readonly name: string;
  readonly account: string;
  readonly state: WishState;
  readonly expiresAt: Epoch | null;
  /** When it is looked at next: the renewal point, or the next try; null when a person comes first. */
  readonly nextAt: Epoch | null;
  readonly failures: number;
  readonly renewals: number;
  readonly targets: readonly TargetStatus[];
}

export interface AccountStatus {
  readonly name: string;
  readonly grant: Account['grant'];
  readonly login: AccountRecord['login'];
  /** When the refresh token (mytoken, vault token) ends; `unknown` is said as unknown, `none` where there is nothing to end. */
  readonly loginEnds: Epoch | 'unknown' | 'none';
}

export interface IssuerStatus {
  readonly issuer: string;
  readonly circuit: IssuerRecord['circuit']['kind'];
  readonly nextTry: Epoch | null;
  /** Our clock minus theirs, milliseconds. */
  readonly skew: number | null;
}

/** Everything `status`, the metrics and the plugin line say, as values. */
export interface StatusReport {
  readonly at: Epoch;
  readonly configFile: string;
  readonly conditions: readonly Condition[];
  readonly wishes: readonly WishStatus[];
  readonly accounts: readonly AccountStatus[];
  readonly issuers: readonly IssuerStatus[];
  readonly totals: Readonly<Record<WishState, number>>;
  /** As in the configuration (`Config.ofUsers`). */
  readonly ofUsers?: true;
}

export function statusReport(records: Records, config: Wanted & Pick<Config, 'file'>, now: Epoch): StatusReport {
  const known = new Map(records.wishes.map((record) => [record.name, record]));
  const accounts = new Map(records.accounts.map((record) => [record.name, record]));
  const deliveries = Map.groupBy(records.deliveries, ({ wish }) => wish);
  const wishes = [...config.wishes.values()].map((wish) =>
    wishStatus(wish, known.get(wish.name), deliveries.get(wish.name) ?? [], now),
  );
  const totals = { valid: 0, due: 0, retrying: 0, stuck: 0, expired: 0, waiting: 0 };
  for (const { state } of wishes) totals[state] += 1;
  const conditions = conditionsOf(records, config, now);
  return {
    at: now,
    configFile: config.file,
    conditions: [...conditions, ...neverFetched(wishes, conditions, config.ofUsers)].sort(byUrgency),
    wishes,
    accounts: [...config.accounts.values()].map((account) => accountStatus(account, accounts.get(account.name))),
    issuers: records.issuers.map((record) => ({
      issuer: record.issuer,
      circuit: record.circuit.kind,
      nextTry: record.circuit.kind === 'open' ? record.circuit.probeAt : record.notBefore,
      skew: record.skew,
    })),
    totals,
    ...(config.ofUsers === undefined ? {} : { ofUsers: config.ofUsers }),
  };
}

function wishStatus(
  wish: Wish,
  record: WishRecord | undefined,
  deliveries: readonly DeliveryRecord[],
  now: Epoch,
): WishStatus {
  const token = record?.token ?? null;
  const trouble = record?.trouble ?? null;
  return {
    name: wish.name,
    account: wish.account,
    state: stateOf(record, now),
    expiresAt: token?.expiresAt ?? null,
    nextAt: trouble === null ? (record?.dueAt ?? null) : trouble.nextTry,
    failures: record?.failures ?? 0,
    renewals: record?.renewals ?? 0,
    targets: wish.targets.map(({ id }) => targetStatus(id, deliveries, token?.fingerprint)),
  };
}

function stateOf(record: WishRecord | undefined, now: Epoch): WishState {
  if (record === undefined || record.token === null) return 'waiting';
  if (record.token.expiresAt <= now) return 'expired';
  if (record.trouble !== null) return record.trouble.nextTry === null ? 'stuck' : 'retrying';
  return record.dueAt <= now ? 'due' : 'valid';
}

/** Of several nodes the worst one counts. */
function targetStatus(id: string, deliveries: readonly DeliveryRecord[], token: string | undefined): TargetStatus {
  const here = deliveries.filter(({ target }) => target === id);
  const deliveredAt = here.reduce<Epoch | null>((latest, record) => {
    if (record.deliveredAt === null) return latest;
    return latest === null || between(latest, record.deliveredAt) > 0 ? record.deliveredAt : latest;
  }, null);
  if (here.some(({ trouble }) => trouble !== null)) return { id, state: 'failing', deliveredAt };
  if (deliveredAt === null) return { id, state: 'waiting', deliveredAt };
  const outdated = here.some(({ delivered }) => delivered !== token);
  return { id, state: outdated ? 'outdated' : 'delivered', deliveredAt };
}

function accountStatus(account: Account, record: AccountRecord | undefined): AccountStatus {
  const loginEnds =
    record === undefined || record.credential === null
      ? 'none'
      : record.expiry.kind === 'known'
        ? record.expiry.at
        : 'unknown';
  return { name: account.name, grant: account.grant, login: record?.login ?? 'none', loginEnds };
}

/** The same report about these wishes only, with what concerns them; names that are not wishes are the caller's to refuse. */
export function narrowed(report: StatusReport, names: readonly WishName[]): StatusReport {
  const asked = new Set<string>(names);
  const wishes = report.wishes.filter(({ name }) => asked.has(name));
  const accountNames = new Set(wishes.map(({ account }) => account));
  const accounts = report.accounts.filter(({ name }) => accountNames.has(name));
  const subjectOf = ({ subject }: Condition): boolean => {
    if (subject.kind === 'wish') return asked.has(subject.name);
    if (subject.kind === 'target') return [...asked].some((name) => subject.name.startsWith(`${name} at `));
    return subject.kind === 'account' ? accountNames.has(subject.name) : false;
  };
  const own = report.conditions.filter(subjectOf);
  const keys = new Set(own.flatMap(({ key, causedBy }) => (causedBy === undefined ? [key] : [key, causedBy])));
  const concerning = report.conditions.filter(({ key }) => keys.has(key));
  const conditions = [...concerning, ...neverFetched(wishes, concerning, report.ofUsers)].sort(byUrgency);
  const totals = { valid: 0, due: 0, retrying: 0, stuck: 0, expired: 0, waiting: 0 };
  for (const { state } of wishes) totals[state] += 1;
  return { ...report, wishes, accounts, conditions, totals };
}

/** What `status` answers with: the worst of its conditions. */
export const statusExit = (report: StatusReport): ExitCode => worstExit(report.conditions.map(exitOf));
