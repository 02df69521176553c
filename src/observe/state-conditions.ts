import type { StoreFinding } from '../store/quarantine.ts';
import { between, days, type Epoch } from '../token/time.ts';
import type { Condition } from './condition.ts';
import { printable } from './printable.ts';

interface Fetched {
  readonly name: string;
  /** `waiting`: there has never been a token. */
  readonly state: string;
  readonly nextAt: Epoch | null;
}

/** Tokens nobody has asked for yet, and nothing else is wrong with them. What the state does not even know no pass has seen. */
export function neverFetched(wishes: readonly Fetched[], conditions: readonly Condition[]): readonly Condition[] {
  const troubled = new Set(conditions.map(({ subject }) => subject.name));
  const waiting = wishes.filter(({ name, state }) => state === 'waiting' && !troubled.has(name));
  const unseen = waiting.filter(({ nextAt }) => nextAt === null);
  if (waiting.length === 0) return [];
  const which = waiting.length === 1 ? `the token ${waiting[0]?.name} was` : `${waiting.length} tokens were`;
  return [
    {
      key: 'state:never-fetched',
      subject: { kind: 'state', name: 'renewals' },
      code: 'never-fetched',
      severity: unseen.length === 0 ? 'notice' : 'warning',
      who: 'operator',
      sentence: `${which} never fetched`,
      hint: 'run: tokeep renew, or keep tokeep run going (systemctl reload tokeep.service after a change of the configuration)',
      since: null,
      nextTry: null,
      stage: 'raised',
    },
  ];
}

/** Damage is worth an exit code for a day, and a line for a month. */
const isNews = days(1);
const isKnown = days(30);

/** What was found damaged in the state and put aside (scenario 14): one condition for each kind of record. */
export function damaged(findings: readonly StoreFinding[], now: Epoch): readonly Condition[] {
  const recent = findings.filter(({ at }) => between(at, now) < isKnown);
  return [...Map.groupBy(recent, ({ what }) => what)].flatMap(([what, found]) => {
    const last = found.at(-1);
    if (last === undefined) return [];
    const others = found.length === 1 ? '' : ` (and ${found.length - 1} more like it)`;
    return [
      {
        key: `state:damaged-${what}`,
        subject: { kind: 'state', name: 'state' },
        code: 'state-damaged',
        severity: between(last.at, now) < isNews ? 'warning' : 'notice',
        who: 'operator',
        sentence: printable(`${last.sentence}${others}`),
        hint: 'look for a failing disk (journalctl -k), and whether anything but tokeep writes into the state directory',
        since: last.at,
        nextTry: null,
        stage: 'raised',
      } as const,
    ];
  });
}
