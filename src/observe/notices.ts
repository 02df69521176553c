import type { NotifyRule } from '../config/config.ts';
import type { NoticeRecord } from '../store/records.ts';
import { between, type Epoch, hours, minutes } from '../token/time.ts';
import { type Cause, type Condition, causesOf, type Stage, stages } from './condition.ts';
import { mostPerHour, sentWithinTheHour } from './notice-ledger.ts';

/** A condition has to last this long before anybody is told, unless it is critical. */
const holdDown = minutes(2);
/** Nobody hears of the same condition more often than this, unless it has become critical in a new way. */
const perKey = hours(1);
/** More changes than this at a time go into one message. */
const singles = 3;

/** One thing somebody is told. */
export type Change =
  | { readonly kind: 'raised' | 'worse'; readonly condition: Condition; readonly concerns: readonly string[] }
  | { readonly kind: 'cleared'; readonly key: string; readonly stage: string; readonly told: Epoch };

export interface PlannedMessage {
  readonly rule: NotifyRule;
  /** One, or many in a digest. */
  readonly changes: readonly Change[];
  /** What was said, once the message is out. */
  readonly notices: readonly NoticeRecord[];
}

/**
 * Which messages are due now, given what was said before: one per change, a digest when there are more than three, and never
 * more than ten an hour per channel (what does not fit waits and goes into a digest later). Pure; nothing counts as said until the
 * notices of a message are stored.
 */
export function planNotices(
  conditions: readonly Condition[],
  said: readonly NoticeRecord[],
  now: Epoch,
  rules: readonly NotifyRule[],
): readonly PlannedMessage[] {
  const causes = causesOf(conditions);
  const present = new Set(conditions.filter(({ severity }) => severity !== 'notice').map(({ key }) => key));
  return rules.flatMap((rule) => {
    const before = new Map(said.filter(({ channel }) => channel === rule.name).map((record) => [record.key, record]));
    const changes = [...raised(causes, before, now, rule), ...cleared(present, before, now)];
    const room = mostPerHour - sentWithinTheHour(said, rule.name, now).length;
    return messagesOf(changes, rule, room, now);
  });
}

function messagesOf(changes: readonly Change[], rule: NotifyRule, room: number, now: Epoch): readonly PlannedMessage[] {
  if (changes.length === 0 || room <= 0) return [];
  const message = (told: readonly Change[]): PlannedMessage => ({
    rule,
    changes: told,
    notices: told.map((change) => noticeOf(change, rule, now)),
  });
  // The last message of the hour takes everything with it.
  if (changes.length > singles || changes.length >= room) return [message(changes)];
  return changes.map((change) => message([change]));
}

function raised(
  causes: readonly Cause[],
  before: ReadonlyMap<string, NoticeRecord>,
  now: Epoch,
  rule: NotifyRule,
): readonly Change[] {
  return causes.flatMap(({ root, followers }): readonly Change[] => {
    if (root.severity === 'notice' || !concernsRule(rule, root, followers)) return [];
    const critical = root.severity === 'critical';
    // What it brings about may hurt already.
    const hurts = critical || followers.some(({ severity }) => severity === 'critical');
    if (!hurts && root.since !== null && between(root.since, now) < holdDown) return [];
    const last = before.get(root.key);
    const worse = last?.state === 'raised' && rank(root.stage) > rank(last.stage);
    if (last?.state === 'raised' && !worse) return [];
    if (last !== undefined && !critical && tooSoon(last, now)) return [];
    const concerns = [...new Set(followers.map(({ subject }) => subject.name))].filter(
      (name) => name !== root.subject.name,
    );
    return [{ kind: worse ? 'worse' : 'raised', condition: root, concerns }];
  });
}

/** What was told and is no more. Whoever merely follows from something else now is not over. */
function cleared(
  present: ReadonlySet<string>,
  before: ReadonlyMap<string, NoticeRecord>,
  now: Epoch,
): readonly Change[] {
  return [...before.values()]
    .filter((last) => last.state === 'raised' && !last.key.startsWith('#'))
    .filter((last) => !present.has(last.key) && !tooSoon(last, now))
    .map(({ key, stage, saidAt }) => ({ kind: 'cleared', key, stage, told: saidAt }));
}

/** A time of the future is one of a clock that was set back since: it must not silence us. */
function tooSoon(last: NoticeRecord, now: Epoch): boolean {
  const passed = between(last.saidAt, now);
  return passed >= 0 && passed < perKey;
}

/** Stages of an older tokeep that we do not know count as the mildest. */
const rank = (stage: string): number => stages.indexOf(stage as Stage);

function noticeOf(change: Change, rule: NotifyRule, now: Epoch): NoticeRecord {
  const common = { channel: rule.name, saidAt: now };
  return change.kind === 'cleared'
    ? { ...common, key: change.key, state: 'cleared', stage: change.stage }
    : { ...common, key: change.condition.key, state: 'raised', stage: change.condition.stage };
}

/** A rule without names is for everything; one with names hears of a cause as soon as one of its names suffers from it. */
function concernsRule({ only }: NotifyRule, root: Condition, followers: readonly Condition[]): boolean {
  if (only.length === 0) return true;
  return [root, ...followers].some(({ subject }) => only.some((pattern) => matches(pattern, subject)));
}

function matches(pattern: string, { kind, name }: Condition['subject']): boolean {
  const bare = kind === 'target' ? (name.split(' at ', 1)[0] ?? name) : name;
  return pattern.endsWith('*') ? bare.startsWith(pattern.slice(0, -1)) : bare === pattern;
}
