import type { Condition } from './condition.ts';
import type { Logger } from './log.ts';

/** Logs what changed between one look at the conditions and the next: raised, in a new stage, and over. */
export function createConditionLog(log: Logger): (conditions: readonly Condition[]) => void {
  let known = new Map<string, string>();
  return (conditions) => {
    const told = conditions.filter(({ severity, causedBy }) => severity !== 'notice' && causedBy === undefined);
    const next = new Map(told.map(({ key, stage }) => [key, stage]));
    for (const { key, stage, severity, sentence, hint } of told) {
      if (known.get(key) !== stage) log.event('condition-raised', { key, severity, stage, reason: sentence, hint });
    }
    const present = new Set(conditions.map(({ key }) => key));
    for (const key of known.keys()) if (!present.has(key)) log.event('condition-cleared', { key });
    known = next;
  };
}
