import { type Condition, causesOf } from './condition.ts';
import { counted, printable } from './printable.ts';
import { type StatusReport, wishStates } from './status.ts';

/** The plugin's answer: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (Nagios plugin guidelines). */
export interface PluginAnswer {
  readonly line: string;
  readonly status: 0 | 1 | 2 | 3;
}

/** One line: the worst cause in words, how many more there are, and the counts as performance data. */
export function statusNagios(report: StatusReport): PluginAnswer {
  const conditions = report.ofUsers ? report.conditions.map(mildWhereUsers) : report.conditions;
  const causes = causesOf(conditions).filter(({ root }) => root.severity !== 'notice');
  const worst = causes[0]?.root;
  const counts = wishStates.map((state) => `${state}=${report.totals[state]};;;0;${report.wishes.length}`);
  const nearest = report.wishes.reduce<number | undefined>((least, { expiresAt }) => {
    if (expiresAt === null) return least;
    const left = Math.floor((expiresAt - report.at) / 1000);
    return least === undefined || left < least ? left : least;
  }, undefined);
  const perfdata = [...counts, ...(nearest === undefined ? [] : [`shortest_life=${nearest}s`])].join(' ');
  if (worst === undefined) {
    return { line: `TOKEEP OK - ${counted(report.wishes.length, 'token')} kept | ${perfdata}\n`, status: 0 };
  }
  const more = causes.length > 1 ? ` (and ${causes.length - 1} more)` : '';
  const critical = worst.severity === 'critical';
  const label = critical ? 'CRITICAL' : 'WARNING';
  return { line: `TOKEEP ${label} - ${forPlugin(worst.sentence)}${more} | ${perfdata}\n`, status: critical ? 2 : 1 };
}

/** What one of many users did at an access point must not wake those who run it. */
const mildWhereUsers = (condition: Condition): Condition =>
  condition.who === 'user' && condition.severity === 'critical' ? { ...condition, severity: 'warning' } : condition;

/** When there is no report to speak of: the state or the configuration did not open. */
export const unknownNagios = (reason: string): PluginAnswer => ({
  line: `TOKEEP UNKNOWN - ${forPlugin(reason)}\n`,
  status: 3,
});

/** A bar starts the performance data, so the text must not hold one. */
const forPlugin = (text: string): string => printable(text).replaceAll('|', '/');
