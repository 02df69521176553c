import type { NotifyRule } from '../config/config.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import type { NoticeRecord } from '../store/records.ts';
import { after, type Epoch, millis, minutes } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { sendThrough } from './channels.ts';
import type { Condition } from './condition.ts';
import type { Logger } from './log.ts';
import { messageOf, testMessage } from './message.ts';
import { channelNotice, withSent } from './notice-ledger.ts';
import { type PlannedMessage, planNotices } from './notices.ts';

export interface TestResult {
  readonly rule: string;
  /** Absent: it went through. */
  readonly fault?: Fault;
}

/**
 * Tells people. Contract: `tell` never throws and hands back what was said, for the caller to store; only what a channel took
 * counts as said, so that a process killed in between repeats a message rather than losing it. It may take as long as the
 * channels take (a minute each), so a daemon does not wait for it before it renews.
 */
export interface Notifier {
  tell(conditions: readonly Condition[], said: readonly NoticeRecord[]): Promise<readonly NoticeRecord[]>;
  /** One test message per rule, whatever was said before. */
  test(): Promise<readonly TestResult[]>;
}

export interface NotifierOptions {
  readonly world: World;
  readonly rules: readonly NotifyRule[];
  /** The name of this machine, for the subject. */
  readonly host: string;
  readonly log: Logger;
}

const firstPause = minutes(1);
const longestPause = minutes(60);

export function createNotifier({ world, rules, host, log }: NotifierOptions): Notifier {
  /** Channels that failed, and when they are tried again; forgotten with the process. */
  const pauses = new Map<string, { readonly until: Epoch; readonly failures: number }>();

  function pause(rule: string, now: Epoch): void {
    const failures = (pauses.get(rule)?.failures ?? 0) + 1;
    const length = millis(Math.min(longestPause, firstPause * 2 ** Math.min(failures - 1, 10)));
    pauses.set(rule, { until: after(now, length), failures });
  }

  /** Sends a rule's messages one after the other and stops at the first that fails: the rest would fail as well. */
  async function tellRule(
    rule: NotifyRule,
    messages: readonly PlannedMessage[],
    said: readonly NoticeRecord[],
    now: Epoch,
  ): Promise<readonly NoticeRecord[]> {
    let ledger = said;
    const done: NoticeRecord[] = [];
    try {
      for (const message of messages) {
        await sendThrough(rule.channel, messageOf(message.changes, host, now), world);
        const sent = withSent(ledger, rule.name, now);
        ledger = [sent, ...ledger.filter((record) => record.channel !== sent.channel || record.key !== sent.key)];
        done.push(...message.notices, sent);
      }
      pauses.delete(rule.name);
      log.event('notified', { rule: rule.name, messages: messages.length });
    } catch (thrown) {
      pause(rule.name, now);
      log.event('notify-failed', { rule: rule.name, reason: asFault(thrown, 'sending a message').message });
    }
    const works = channelNotice(said, rule.name, !pauses.has(rule.name), now);
    return lastOfEach(works === undefined ? done : [...done, works]);
  }

  return {
    async tell(conditions, said) {
      const now = world.clock.now();
      const ready = rules.filter(({ name }) => (pauses.get(name)?.until ?? now) <= now);
      const byRule = Map.groupBy(planNotices(conditions, said, now, ready), ({ rule }) => rule);
      const told = [...byRule].map(([rule, messages]) => tellRule(rule, messages, said, now));
      return (await Promise.all(told)).flat();
    },
    async test() {
      const sent = rules.map(async (rule): Promise<TestResult> => {
        try {
          await sendThrough(rule.channel, testMessage(rule.name, host, world.clock.now()), world);
          return { rule: rule.name };
        } catch (thrown) {
          return { rule: rule.name, fault: asFault(thrown, 'sending a test message') };
        }
      });
      return await Promise.all(sent);
    },
  };
}

/** One record per key and channel: the last one said. */
function lastOfEach(records: readonly NoticeRecord[]): readonly NoticeRecord[] {
  return [...new Map(records.map((record) => [`${record.channel} ${record.key}`, record])).values()];
}
