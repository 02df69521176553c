import type { Account, Config } from '../config/config.ts';
import { faultCodes } from '../fault/codes.ts';
import type { StoreFinding } from '../store/quarantine.ts';
import type { AccountRecord, DeliveryRecord, IssuerRecord, NoticeRecord, WishRecord } from '../store/records.ts';
import type { AccountName } from '../token/names.ts';
import { between, type Epoch, earliest, minutes } from '../token/time.ts';
import { accountConditions } from './account-conditions.ts';
import { byUrgency, type Condition } from './condition.ts';
import { downKey, issuerConditions, issuerNames } from './issuer-conditions.ts';
import { failureKey } from './notice-ledger.ts';
import { printable, span } from './printable.ts';
import { absentCredentials, credmonHint, damaged } from './state-conditions.ts';
import { namingUser } from './users-turn.ts';
import { type Causes, targetCondition, wishConditions } from './wish-conditions.ts';

export interface Records {
  readonly wishes: readonly WishRecord[];
  readonly accounts: readonly AccountRecord[];
  readonly deliveries: readonly DeliveryRecord[];
  readonly issuers: readonly IssuerRecord[];
  /** To see whether messages get through. */
  readonly notices?: readonly NoticeRecord[];
  /** What was damaged and put aside. */
  readonly findings?: readonly StoreFinding[];
}

/** The part of the configuration that says what should be. */
export type Wanted = Pick<Config, 'wishes' | 'accounts' | 'findings'> & Partial<Pick<Config, 'notify' | 'ofUsers'>>;

/** A wish that nobody has touched this long after it was due: nobody runs. More than the longest usual timer interval. */
const idleAfter = minutes(60);

/** Everything that is wrong now, the worst first. Pure: the same records give the same conditions, with no memory in between. */
export function conditionsOf(records: Records, wanted: Wanted, now: Epoch): readonly Condition[] {
  const wishes = new Map(records.wishes.map((record) => [record.name, record]));
  const accounts = new Map(records.accounts.map((record) => [record.name, record]));
  const found: Condition[] = [
    ...findings(wanted),
    ...(wanted.ofUsers ? absentCredentials(records.wishes, wanted) : parked(records)),
    ...unheard(records, wanted),
    ...damaged(records.findings ?? [], now),
  ];
  const idle = idleCondition(records, wanted, now);
  if (idle !== undefined) found.push(idle);

  const asked = loginsAsked(records.wishes);
  const causesByAccount = new Map<AccountName, Causes>();
  const expired = expiredPerIssuer(records, wanted, accounts, now);
  const asks = issuersAsked(wanted, accounts);
  const issuers = records.issuers
    .filter(({ issuer }) => asks.has(issuer))
    .flatMap((record) => issuerConditions(record, expired.get(record.issuer) ?? 0));
  const raisedIssuers = new Set(issuers.map(({ key }) => key));
  for (const account of wanted.accounts.values()) {
    const record = accounts.get(account.name);
    const issuer = issuerNames(account, record)
      .map(downKey)
      .find((key) => raisedIssuers.has(key));
    const own = accountConditions(account, record, asked.get(account.name), now).map((condition) =>
      issuer !== undefined && condition.code.startsWith('issuer-') ? { ...condition, causedBy: issuer } : condition,
    );
    const cause = own.find(stopsRenewals)?.key;
    causesByAccount.set(account.name, { account: cause, issuer, idle: idle?.key });
    found.push(...own);
  }
  found.push(...issuers);
  for (const wish of wanted.wishes.values()) {
    const record = wishes.get(wish.name);
    if (record === undefined || record.state === 'parked') continue;
    const causes = causesByAccount.get(wish.account) ?? { account: undefined, issuer: undefined, idle: idle?.key };
    found.push(...wishConditions(wish, wanted.accounts.get(wish.account), record, causes, now));
  }
  for (const delivery of records.deliveries) {
    const wish = wanted.wishes.get(delivery.wish);
    const condition = wish === undefined ? undefined : targetCondition(wish, delivery);
    if (condition !== undefined) found.push(condition);
  }
  return (wanted.ofUsers ? found.map(namingUser) : found).sort(byUrgency);
}

/** A login that will end some day, or a write-back that failed, is no reason why there is no token today. */
const stopsRenewals = ({ code }: Condition): boolean => code !== 'login-ends' && code !== 'write-back-failed';

function findings(wanted: Wanted): readonly Condition[] {
  return wanted.findings.map((finding) => {
    const place = `${finding.at.file}:${finding.at.line}:${finding.at.column}`;
    const meant = finding.didYouMean === undefined ? '' : ` (did you mean ${finding.didYouMean}?)`;
    const said = finding.hint === undefined ? `${place}: ${finding.message}` : finding.message;
    return {
      key: `config:${finding.section ?? place}:${finding.code}`,
      subject: { kind: 'config', name: finding.section ?? place },
      code: finding.code,
      // A section that is left out is a token that nobody keeps.
      severity: finding.severity === 'error' ? 'critical' : 'warning',
      who: faultCodes[finding.code].who,
      sentence: printable(`${said}${meant}`),
      hint: finding.hint ?? 'run: tokeep config check',
      since: null,
      nextTry: null,
      stage: finding.severity,
    } as const;
  });
}

/** Ways to people that do not work: nobody hears of anything else there, so that status has to say it. */
function unheard(records: Records, { notify }: Wanted): readonly Condition[] {
  const configured = (channel: string) => notify === undefined || notify.some(({ name }) => name === channel);
  const failing = (records.notices ?? []).filter(
    ({ key, state, channel }) => key === failureKey && state === 'raised' && configured(channel),
  );
  return failing.map(({ channel, saidAt }) => ({
    key: `state:notify:${channel}`,
    subject: { kind: 'state', name: `notify ${channel}` },
    code: 'notify-failed',
    severity: 'warning',
    who: 'operator',
    sentence: `messages to ${channel} do not get through`,
    hint: 'see why: tokeep notify test',
    since: saidAt,
    nextTry: null,
    stage: 'raised',
  }));
}

/** One condition for all of them: a lost half of the configuration would otherwise fill the screen (scenario 35). */
function parked(records: Records): readonly Condition[] {
  const wishes = records.wishes.filter(({ state }) => state === 'parked').map(({ name }) => name as string);
  const accounts = records.accounts.filter(({ state }) => state === 'parked').map(({ name }) => name as string);
  const found: Condition[] = [];
  const say = (kind: 'wishes' | 'accounts', names: readonly string[], hint: string) => {
    if (names.length === 0) return;
    const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
    found.push({
      key: `state:parked-${kind}`,
      subject: { kind: 'state', name: kind },
      code: 'parked',
      severity: 'notice',
      who: 'operator',
      sentence: `no longer in the configuration, kept until told otherwise: ${kind === 'wishes' ? 'tokens' : kind} ${shown}`,
      hint,
      since: null,
      nextTry: null,
      stage: 'parked',
    });
  };
  say('wishes', wishes, 'put them back into the configuration if this was not meant');
  say('accounts', accounts, 'put them back into the configuration, or forget them: tokeep account remove NAME');
  return found;
}

/** An issuer that no account asks any more stays as it was last seen; that is nobody's worry. */
function issuersAsked(wanted: Wanted, records: ReadonlyMap<AccountName, AccountRecord>): ReadonlySet<string> {
  return new Set([...wanted.accounts.values()].flatMap((one) => issuerNames(one, records.get(one.name))));
}

/** Since when the wishes of each account have been waiting for a login. */
function loginsAsked(wishes: readonly WishRecord[]): ReadonlyMap<AccountName, Epoch> {
  const since = new Map<AccountName, Epoch>();
  for (const { account, trouble, state } of wishes) {
    if (state === 'parked' || trouble?.code !== 'login-needed') continue;
    since.set(account, earliest(since.get(account) ?? trouble.since, trouble.since));
  }
  return since;
}

function idleCondition(records: Records, wanted: Wanted, now: Epoch): Condition | undefined {
  // A wish that waits for a person is not late: nobody is going to touch it.
  const late = records.wishes.filter(
    ({ name, state, dueAt, trouble }) =>
      state === 'kept' && trouble?.nextTry !== null && wanted.wishes.has(name) && between(dueAt, now) > idleAfter,
  );
  const first = late[0];
  if (first === undefined) return undefined;
  const since = late.reduce((oldest, { dueAt }) => earliest(oldest, dueAt), first.dueAt);
  const expired = late.some(({ token }) => token === null || token.expiresAt <= now);
  return {
    key: 'state:idle',
    subject: { kind: 'state', name: 'renewals' },
    code: 'not-running',
    severity: expired ? 'critical' : 'warning',
    who: 'operator',
    sentence: `${late.length === 1 ? `token ${first.name} is` : `${late.length} tokens are`} due for ${span(between(since, now))} and nobody renews`,
    hint: wanted.ofUsers
      ? credmonHint
      : 'see whether tokeep runs: systemctl status tokeep.service tokeep-renew.timer osg-token-renewer.timer',
    since,
    nextTry: null,
    stage: expired ? 'expired' : 'late',
  };
}

function expiredPerIssuer(
  records: Records,
  wanted: Wanted,
  accounts: ReadonlyMap<AccountName, AccountRecord>,
  now: Epoch,
): ReadonlyMap<string, number> {
  const names = new Map<Account, readonly string[]>();
  const count = new Map<string, number>();
  for (const record of records.wishes) {
    const account = wanted.accounts.get(record.account);
    if (account === undefined || record.state === 'parked') continue;
    if (record.trouble === null || (record.token !== null && record.token.expiresAt > now)) continue;
    const known = names.get(account) ?? issuerNames(account, accounts.get(account.name));
    names.set(account, known);
    for (const name of new Set(known)) count.set(name, (count.get(name) ?? 0) + 1);
  }
  return count;
}
