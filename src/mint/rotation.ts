import { after, type Epoch, millis } from '../token/time.ts';
import type { RotationTimes } from './issuer.ts';
import type { SigningKey } from './signing-key.ts';

/** One step of a rotation. `promote` retires the key that signs, where there is one. */
export type RotationStep =
  | { readonly kind: 'make' }
  | { readonly kind: 'promote'; readonly kid: string; readonly retires?: string }
  | { readonly kind: 'remove'; readonly kid: string };

export type NextStep =
  | RotationStep
  | {
      readonly kind: 'wait';
      /** When `would` may be done; undefined as long as nobody knows, because a key was never published. */
      readonly until: Epoch | undefined;
      /** A sentence: what the step waits for. */
      readonly why: string;
      readonly would: RotationStep;
      /** Would it break verifiers now, or is it merely not its time? */
      readonly breaks: boolean;
    };

interface Candidate {
  readonly step: RotationStep;
  readonly due: Epoch | undefined;
  readonly why: string;
  readonly breaks: boolean;
}

/**
 * What the rotation has to do next. Keys go next → signing → retired → removed, and nothing is done before its time (WLCG profile 1.3,
 * "Token lifetime guidance"; scenario 43):
 *
 * - a successor is made `ahead` before the key that signs has signed for `life`;
 * - it signs once it has been published for `ahead`: by then no verifier goes by key sets from before;
 * - a retired key goes `behind` after the last token it signed has ended.
 *
 * One step that is due is named, else the one that is waited for. A key that was published is never made to wait for its turn: whoever
 * makes one early wants to rotate early.
 */
export function nextStep(keys: readonly SigningKey[], times: RotationTimes, now: Epoch): NextStep {
  const signing = keys.find(({ state }) => state === 'signing');
  const next = keys.find(({ state }) => state === 'next');
  const candidates = [
    ...(next === undefined ? [] : [promotion(next, signing, times)]),
    ...retiredOf(keys).map((key) => removal(key, times)),
    ...(next === undefined ? [making(signing, times, now)] : []),
  ];
  const due = candidates.find((candidate) => candidate.due !== undefined && candidate.due <= now);
  if (due !== undefined) return due.step;
  const first = candidates[0] as Candidate;
  return { kind: 'wait', until: first.due, why: first.why, would: first.step, breaks: first.breaks };
}

/**
 * The step for whoever cannot wait, since the key that signs got lost: a successor is made, it signs, and the key that it relieved goes,
 * which is the lost one. Keys that were retired in peace stay until their time, whatever happens: tokens that are good live by them.
 */
export function urgentStep(keys: readonly SigningKey[]): RotationStep {
  const [first] = retiredOf(keys);
  if (first?.givenUp) return { kind: 'remove', kid: first.kid };
  const signing = keys.find(({ state }) => state === 'signing');
  const next = keys.find(({ state }) => state === 'next');
  return next === undefined ? { kind: 'make' } : promotionOf(next, signing);
}

/** The one that was given up last goes first. */
function retiredOf(keys: readonly SigningKey[]): readonly SigningKey[] {
  const givenUpAt = ({ givenUp, retiredAt }: SigningKey): number => (givenUp ? (retiredAt ?? 0) : 0);
  return keys.filter(({ state }) => state === 'retired').toSorted((one, other) => givenUpAt(other) - givenUpAt(one));
}

const promotionOf = ({ kid }: SigningKey, signing: SigningKey | undefined) => ({
  kind: 'promote' as const,
  kid,
  ...(signing === undefined ? {} : { retires: signing.kid }),
});

function making(signing: SigningKey | undefined, { life, ahead }: RotationTimes, now: Epoch): Candidate {
  const due = signing === undefined ? now : after(signing.signsSince ?? signing.createdAt, millis(life - ahead));
  return {
    step: { kind: 'make' },
    due,
    why:
      signing === undefined ? 'no key signs' : `the key ${signing.kid} signs, and its successor is due ${moment(due)}`,
    breaks: false,
  };
}

function promotion(next: SigningKey, signing: SigningKey | undefined, { ahead }: RotationTimes): Candidate {
  const step = promotionOf(next, signing);
  const { publishedAt } = next;
  if (publishedAt === undefined) {
    return {
      step,
      due: undefined,
      why: `the key ${next.kid} was never published, so that no verifier knows it`,
      breaks: true,
    };
  }
  const due = after(publishedAt, ahead);
  const why = `the key ${next.kid} is published since ${moment(publishedAt)}, and verifiers may go by what they fetched before that until ${moment(due)}`;
  return { step, due, why, breaks: true };
}

function removal(key: SigningKey, { behind }: RotationTimes): Candidate {
  const retiredAt = key.retiredAt ?? key.createdAt;
  const ends = key.lastExpiry === undefined || key.lastExpiry < retiredAt ? retiredAt : key.lastExpiry;
  const due = after(ends, behind);
  const why = `tokens that the key ${key.kid} signed may be used until ${moment(due)}`;
  return { step: { kind: 'remove', kid: key.kid }, due, why, breaks: true };
}

const moment = (at: Epoch): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** The keys after a step, as they are recorded; `inHurry` if nobody waited for its time. `make` adds one and is not for here. */
export function afterStep(
  keys: readonly SigningKey[],
  step: Exclude<RotationStep, { kind: 'make' }>,
  now: Epoch,
  inHurry = false,
): readonly SigningKey[] {
  return keys.map((key): SigningKey => {
    if (step.kind === 'remove') return key.kid === step.kid ? { ...key, state: 'removed', removedAt: now } : key;
    if (key.kid === step.kid) return { ...key, state: 'signing', signsSince: now };
    if (key.kid !== step.retires) return key;
    return { ...key, state: 'retired', retiredAt: now, ...(inHurry ? { givenUp: true } : {}) };
  });
}
