import type { Epoch } from '../token/time.ts';
import type { Condition } from './condition.ts';
import { timestamp } from './printable.ts';
import { type StatusReport, statusExit } from './status.ts';

const time = (at: Epoch | null): string | null => (at === null ? null : timestamp(at));

/** `status --json`: the keys are stable and listed in docs/monitoring.md; times are RFC 3339 in UTC, null where there is none. */
export function statusJson(report: StatusReport): string {
  return `${JSON.stringify(
    {
      version: 1,
      at: timestamp(report.at),
      config: report.configFile,
      exit: statusExit(report),
      totals: report.totals,
      conditions: report.conditions.map(conditionJson),
      wishes: report.wishes.map((wish) => ({
        name: wish.name,
        account: wish.account,
        state: wish.state,
        expires: time(wish.expiresAt),
        next: time(wish.nextAt),
        failures: wish.failures,
        renewals: wish.renewals,
        targets: wish.targets.map(({ id, state, deliveredAt }) => ({ id, state, delivered: time(deliveredAt) })),
      })),
      accounts: report.accounts.map(({ name, grant, login, loginEnds }) => ({
        name,
        grant,
        login,
        login_ends: typeof loginEnds === 'number' ? timestamp(loginEnds) : loginEnds,
      })),
      issuers: report.issuers.map(({ issuer, circuit, nextTry, skew }) => ({
        issuer,
        circuit,
        next_try: time(nextTry),
        clock_skew_seconds: skew === null ? null : skew / 1000,
      })),
    },
    undefined,
    2,
  )}\n`;
}

/** One condition as `status --json`, webhooks and notify commands get it. */
export function conditionJson(condition: Condition) {
  return {
    key: condition.key,
    subject: condition.subject,
    code: condition.code,
    severity: condition.severity,
    who: condition.who,
    sentence: condition.sentence,
    hint: condition.hint ?? null,
    since: time(condition.since),
    next_try: time(condition.nextTry),
    stage: condition.stage,
    caused_by: condition.causedBy ?? null,
  };
}
