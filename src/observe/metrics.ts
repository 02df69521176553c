import type { GrantName } from '../config/config.ts';
import type { Epoch } from '../token/time.ts';
import type { Logger } from './log.ts';
import type { LogEventName } from './log-events.ts';
import { type StatusReport, type TargetStatus, wishStates } from './status.ts';

/** One metric family: name without the `tokeep_` prefix, and its samples. */
interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}
interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Above this many wishes only sums are published, unless each is asked for: a series per wish is what fills a Prometheus. */
export const seriesPerWishUpTo = 1000;

export interface MetricsOptions {
  /** A series for every wish, however many there are. */
  readonly everyWish?: boolean;
  readonly counters?: Counters;
}

/** How often each log event happened since the program started. */
export interface Counters {
  readonly counts: ReadonlyMap<LogEventName, number>;
}

/** Counts events on their way to a logger, so that metrics and log never disagree. */
export function countEvents(log: Logger): Logger & Counters {
  const counts = new Map<LogEventName, number>();
  return {
    counts,
    event(name, fields) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      log.event(name, fields);
    },
  };
}

/** The report in the Prometheus text format 0.0.4; names are listed in docs/monitoring.md. */
export function metricsText(report: StatusReport, options: MetricsOptions = {}): string {
  const families = [...wishFamilies(report, options), ...otherFamilies(report), ...counterFamilies(options.counters)];
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, type, help, samples }) =>
        `# HELP tokeep_${name} ${help}\n# TYPE tokeep_${name} ${type}\n${samples.map((sample) => line(name, sample)).join('')}`,
    )
    .join('');
}

/** These renew from something that a person gave and that may end; the others need no login. */
const grantsWithLogin: readonly GrantName[] = ['refresh_token', 'mytoken', 'vault'];

const secondsOf = (at: Epoch): number => at / 1000;
const one = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [{ value }]);

function wishFamilies({ at, wishes, totals }: StatusReport, options: MetricsOptions): readonly Family[] {
  const each = options.everyWish === true || wishes.length <= seriesPerWishUpTo;
  const expiring = wishes.flatMap(({ name, account, expiresAt }) =>
    expiresAt === null ? [] : [{ labels: { wish: name, account }, value: secondsOf(expiresAt) }],
  );
  const least = expiring.reduce<number | undefined>(
    (earliest, { value }) => (earliest === undefined || value < earliest ? value : earliest),
    undefined,
  );
  const lag = wishes.reduce((most, { nextAt }) => (nextAt === null ? most : Math.max(most, at - nextAt)), 0);
  const targets: Record<TargetStatus['state'], number> = { delivered: 0, outdated: 0, failing: 0, waiting: 0 };
  for (const wish of wishes) for (const { state } of wish.targets) targets[state] += 1;
  return [
    gauge('wishes', 'Configured tokens by state.', byState(wishStates, totals)),
    gauge('targets', 'Configured targets by state.', byState(['delivered', 'outdated', 'failing', 'waiting'], targets)),
    gauge('token_expiry_timestamp_seconds', 'When each token expires.', each ? expiring : []),
    gauge('token_expiry_earliest_timestamp_seconds', 'When the first of all tokens expires.', one(least)),
    gauge('due_lag_seconds', 'For how long the token that waits longest has been due.', one(lag / 1000)),
    {
      ...gauge('token_renewals_total', 'Renewals of the configured tokens, over restarts.', [
        { value: wishes.reduce((sum, { renewals }) => sum + renewals, 0) },
      ]),
      type: 'counter',
    },
  ];
}

function otherFamilies({ at, accounts, issuers, conditions }: StatusReport): readonly Family[] {
  const severities = { critical: 0, warning: 0, notice: 0 };
  for (const { severity } of conditions) severities[severity] += 1;
  return [
    gauge(
      'conditions',
      'What is wrong, by severity.',
      (['critical', 'warning', 'notice'] as const).map((severity) => ({
        labels: { severity },
        value: severities[severity],
      })),
    ),
    gauge(
      'login_ready',
      'Whether the login of an account works (1), or is dead, refused or missing (0); left out where none is needed.',
      accounts
        .filter(({ grant, login }) => login !== 'none' || grantsWithLogin.includes(grant))
        .map(({ name, login }) => ({ labels: { account: name }, value: login === 'ready' ? 1 : 0 })),
    ),
    gauge(
      'login_expiry_timestamp_seconds',
      'When the refresh token (mytoken, vault token) of an account ends, where that is known.',
      accounts.flatMap(({ name, loginEnds }) =>
        typeof loginEnds === 'number' ? [{ labels: { account: name }, value: secondsOf(loginEnds) }] : [],
      ),
    ),
    gauge(
      'issuer_circuit_open',
      'Whether requests to an issuer are held back because it is down (1).',
      issuers.map(({ issuer, circuit }) => ({ labels: { issuer }, value: circuit === 'open' ? 1 : 0 })),
    ),
    gauge(
      'issuer_clock_skew_seconds',
      'Our clock minus that of the issuer.',
      issuers.flatMap(({ issuer, skew }) => (skew === null ? [] : [{ labels: { issuer }, value: skew / 1000 }])),
    ),
    gauge('report_timestamp_seconds', 'When these figures were taken.', one(secondsOf(at))),
  ];
}

function counterFamilies(counters: Counters | undefined): readonly Family[] {
  const samples = [...(counters?.counts ?? [])].map(([event, value]) => ({ labels: { event }, value }));
  return [{ name: 'events_total', type: 'counter', help: 'Log events since the start, by name.', samples }];
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  type: 'gauge',
  help,
  samples,
});

const byState = <S extends string>(states: readonly S[], counts: Readonly<Record<S, number>>): readonly Sample[] =>
  states.map((state) => ({ labels: { state }, value: counts[state] }));

function line(name: string, { labels = {}, value }: Sample): string {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `tokeep_${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}\n`;
}

const escaped = (text: string): string =>
  text.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`);
