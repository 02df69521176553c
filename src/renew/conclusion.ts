import type { GrantOutcome, RawAnswer, Salvage } from '../acquire/grant.ts';
import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord, Intent, Trouble } from '../store/records.ts';
import { next, refusedCredential, unknownSince } from './account-state.ts';
import { concernsAccount } from './asked.ts';
import { saidExpiry } from './credential-expiry.ts';
import { type Moment, troubleOf } from './outcome.ts';
import { nextRecheck } from './schedule.ts';

export interface Ending {
  readonly account: Account;
  /** As it was before the intent. */
  readonly before: AccountRecord;
  /** As it is on disk now. */
  readonly kept: AccountRecord;
  readonly raw: RawAnswer;
  readonly salvage: Salvage;
  readonly outcome: GrantOutcome;
  readonly moment: Moment;
}

/**
 * What the account's record says once the answer is judged: whether the intent is closed, what is wrong with the credential or
 * the client, and what was learnt. Gives `kept` itself back when there is nothing new to write. `fault` replaces the issuer's
 * bare refusal of a credential by what it means.
 */
export function concluded(ending: Ending): { readonly record: AccountRecord; readonly fault: Fault | undefined } {
  const { before, kept, raw, outcome, account, moment } = ending;
  const learnt = raw.learnt === undefined ? kept.learnt : { ...kept.learnt, ...raw.learnt };
  const stillSame = kept.credential?.fingerprint === before.credential?.fingerprint;
  if (outcome.kind === 'refused' && outcome.credentialDead && stillSame) {
    const record = refusedCredential(
      account,
      { ...kept, learnt, fingerprint: account.fingerprint },
      unknownSince(before),
      outcome.fault,
      moment.now,
      moment.chance,
    );
    return { record, fault: faultOf(record.trouble) ?? outcome.fault };
  }
  const change: Partial<AccountRecord> = {
    intent: intentAfter(ending),
    trouble: troubleAfter(ending),
    learnt,
    expiry: saidExpiry(kept, raw, ending.salvage) ?? kept.expiry,
    login: outcome.kind === 'token' && kept.credential !== null ? 'ready' : kept.login,
    fingerprint: account.fingerprint,
  };
  const changed = Object.entries(change).some(([key, value]) => kept[key as keyof AccountRecord] !== value);
  return { record: changed ? next(kept, change) : kept, fault: undefined };
}

/** An intent is closed only by a definite answer; a 429 or 503 leaves things as they were, any other fault leaves it in doubt. */
function intentAfter({ before, kept, outcome }: Ending): Intent | null {
  if (kept.intent === null || outcome.kind !== 'later') return null;
  return outcome.fault.code === 'issuer-overloaded' ? before.intent : { ...kept.intent, outcome: 'unknown' };
}

function troubleAfter({ kept, outcome, moment }: Ending): Trouble | null {
  if (outcome.kind === 'token') return null;
  if (outcome.kind === 'later' || !concernsAccount(outcome.fault)) return kept.trouble;
  return troubleOf(kept.trouble, outcome.fault, moment.now, nextRecheck(moment.now, moment.chance));
}

function faultOf(trouble: Trouble | null): Fault | undefined {
  if (trouble === null) return undefined;
  return new Fault(trouble.code, trouble.sentence, trouble.hint === undefined ? {} : { hint: trouble.hint });
}
