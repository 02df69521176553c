import type { Config } from '../config/config.ts';
import type { StoreFinding } from '../store/quarantine.ts';
import type { WishRecord } from '../store/records.ts';
import { between, days, type Epoch } from '../token/time.ts';
import type { Condition } from './condition.ts';
import { counted, printable } from './printable.ts';

interface Fetched {
  readonly name: string;
  /** `waiting`: there has never been a token. */
  readonly state: string;
  readonly nextAt: Epoch | null;
}

/** Where to look when the credmon does not do its work. */
export const credmonHint =
  'see whether the credmon runs, and what it says: condor_who -daemons; condor_config_val CREDMON_OAUTH_LOG names its log';

/** Tokens nobody has asked for yet, and nothing else is wrong with them. What the state does not even know no pass has seen. */
export function neverFetched(
  wishes: readonly Fetched[],
  conditions: readonly Condition[],
  ofUsers: true | undefined,
): readonly Condition[] {
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
      hint: ofUsers
        ? credmonHint
        : 'run: tokeep renew, or keep tokeep run going (systemctl reload tokeep.service after a change of the configuration)',
      since: null,
      nextTry: null,
      stage: 'raised',
    },
  ];
}

/**
 * Users' credentials come and go, which is nobody's worry; but that all of them went at once looks like a directory that is not mounted. What is
 * parked beside others that stand is unfit, and has a sentence of its own.
 */
export function absentCredentials(
  wishes: readonly Pick<WishRecord, 'state'>[],
  wanted: Pick<Config, 'wishes' | 'findings'>,
): readonly Condition[] {
  const parked = wishes.filter(({ state }) => state === 'parked').length;
  const stands = wanted.wishes.size > 0 || wanted.findings.some(({ section }) => section?.startsWith('tokens.'));
  if (parked === 0 || stands) return [];
  return [
    {
      key: 'state:parked-wishes',
      subject: { kind: 'state', name: 'wishes' },
      code: 'parked',
      severity: 'notice',
      who: 'operator',
      sentence: `the credential directory is empty; what is known of ${counted(parked, 'token')} is kept until a user stores something there`,
      hint: 'nothing to do if all users took theirs away; else see whether the directory is mounted',
      since: null,
      nextTry: null,
      stage: 'parked',
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
