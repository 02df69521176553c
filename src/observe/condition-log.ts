import type { Condition } from './condition.ts';
import type { Logger } from './log.ts';

/** Logs what changed between one look at the conditions and the next: raised, in a new stage, and over. */
export function createConditionLog(log: Logger): (conditions: readonly Condition[]) => void {
  let known = new Map<string, string>();
  return (conditions) => {
    const told = conditions.filter(({ severity, causedBy }) => severity !== 'notice' && causedBy === undefined);
    const next = new Map(told.map(({ key, stage }) => [key, stage]));
    for (const condition of told) if (known.get(condition.key) !== condition.stage) raised(log, condition);
    const present = new Set(conditions.map(({ key }) => key));
    for (const key of known.keys()) if (!present.has(key)) log.event('condition-cleared', { key });
    known = next;
  };
}

/** A login that is needed has an event of its own, so that a log watcher finds the one thing that never mends itself. */
function raised(log: Logger, { key, code, subject, stage, severity, sentence: reason, hint }: Condition): void {
  if (code === 'login-needed') log.event('login-needed', { account: subject.name, reason, hint });
  else log.event('condition-raised', { key, severity, stage, reason, hint });
}
