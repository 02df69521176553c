import { type ExitCode, exit, type FaultCode, faultCodes, type Who } from '../fault/codes.ts';
import type { Epoch } from '../token/time.ts';

/** Codes of conditions that are no faults: nothing was tried and failed, and still somebody should know. */
export const ownCodes = {
  'login-ends': { who: 'user', exit: exit.person, meaning: 'the refresh token comes to the end of its life' },
  'token-runs-out': { who: 'wait', exit: exit.temporary, meaning: 'the token expires before the next try, or has' },
  'clock-skew': {
    who: 'operator',
    exit: exit.person,
    meaning: "our clock and the issuer's differ by more than a minute",
  },
  'write-back-failed': {
    who: 'operator',
    exit: exit.temporary,
    meaning: 'a new refresh token was not written back to the oidc-agent account file',
  },
  'not-running': { who: 'operator', exit: exit.person, meaning: 'tokens are long due and nobody renews them' },
  'never-fetched': { who: 'operator', exit: exit.person, meaning: 'tokens that no pass has seen yet' },
  'state-damaged': {
    who: 'operator',
    exit: exit.person,
    meaning: 'a damaged part of the state was put aside within the last day',
  },
  parked: { who: 'operator', exit: exit.fine, meaning: 'kept although no longer in the configuration' },
} as const satisfies Record<string, { readonly who: Who; readonly exit: ExitCode; readonly meaning: string }>;

/** Steps of conditions, from the mildest to the worst: going on to a later one is worth another message. */
export const stages = [
  'parked',
  'warning',
  'raised',
  'skewed',
  'unknown',
  'late',
  'down',
  'runs-out',
  '1/3',
  '1/7',
  '3d',
  '1d',
  'suspended',
  'none',
  'ended',
  'expired',
  'tokens-expired',
  'dead',
  'error',
] as const;
export type Stage = (typeof stages)[number];

export type ConditionCode = FaultCode | keyof typeof ownCodes;
export type Severity = 'notice' | 'warning' | 'critical';

/**
 * Something that is wrong, since when, whose turn it is, and when it is tried next. Derived from the records by
 * `conditionsOf`, never stored: what is stored is what somebody was told of it (NoticeRecord).
 */
export interface Condition {
  /** Stable name of the condition, such as `account:atlas-pilot:login`. */
  readonly key: string;
  readonly subject: {
    readonly kind: 'account' | 'wish' | 'target' | 'issuer' | 'state' | 'config';
    readonly name: string;
  };
  readonly code: ConditionCode;
  /** `notice`: shown by status, nobody is told. */
  readonly severity: Severity;
  readonly who: Who;
  readonly sentence: string;
  readonly hint?: string;
  /** null where no record says since when. */
  readonly since: Epoch | null;
  readonly nextTry: Epoch | null;
  readonly stage: Stage;
  /** Key of the condition this one follows from; then only the root is shown first. */
  readonly causedBy?: string;
}

const ranks: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, notice: 2 };

const order = ({ severity, causedBy }: Condition): number => 2 * ranks[severity] + (causedBy === undefined ? 0 : 1);

/** The worst first; of the same severity causes before what follows from them, and the oldest first. */
export function byUrgency(a: Condition, b: Condition): number {
  return order(a) - order(b) || (a.since ?? 0) - (b.since ?? 0) || (a.key < b.key ? -1 : 1);
}

/** What a command answers with because of this condition. A mere notice, or a warning of `config check`, never spoils an exit code. */
export function exitOf(condition: Condition): ExitCode {
  const { severity, subject } = condition;
  if (severity === 'notice' || (severity === 'warning' && subject.kind === 'config')) return exit.fine;
  const { code } = condition;
  return code in ownCodes ? ownCodes[code as keyof typeof ownCodes].exit : faultCodes[code as FaultCode].exit;
}

/** One cause and what follows from it. */
export interface Cause {
  readonly root: Condition;
  readonly followers: readonly Condition[];
}

/** Groups conditions under their causes, the worst cause first. A cause that is not in the list does not hide its followers. */
export function causesOf(conditions: readonly Condition[]): readonly Cause[] {
  const byKey = new Map(conditions.map((condition) => [condition.key, condition]));
  const followers = new Map<string, Condition[]>();
  const roots: Condition[] = [];
  for (const condition of conditions) {
    const root = rootOf(condition, byKey);
    if (root === condition) {
      roots.push(condition);
      continue;
    }
    const known = followers.get(root.key);
    if (known === undefined) followers.set(root.key, [condition]);
    else known.push(condition);
  }
  return roots.sort(byUrgency).map((root) => ({ root, followers: followers.get(root.key) ?? [] }));
}

function rootOf(condition: Condition, byKey: ReadonlyMap<string, Condition>): Condition {
  let root = condition;
  // Three steps at most (token, wish, account, issuer); the bound keeps a circle of causes from hanging us.
  for (let steps = 0; steps < 4; steps += 1) {
    const cause = root.causedBy === undefined ? undefined : byKey.get(root.causedBy);
    if (cause === undefined) return root;
    root = cause;
  }
  return root;
}
