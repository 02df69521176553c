import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import { loginHint } from '../observe/next-step.ts';
import type { AccountRecord, Intent, RefreshExpiry } from '../store/records.ts';
import type { Credential } from '../token/secret.ts';
import { after, between, days, type Epoch } from '../token/time.ts';
import { troubleOf } from './outcome.ts';
import { nextRecheck } from './schedule.ts';

/** How long a refused credential is presented again, once an hour, before it is given up (scenario 9). */
const suspendedFor = days(1);

/** An account nothing is known of yet; its first save is generation 1. */
export function blankAccount(account: Account): AccountRecord {
  return {
    name: account.name,
    fingerprint: account.fingerprint,
    state: 'kept',
    generation: 0,
    login: 'none',
    credential: null,
    expiry: { kind: 'unknown' },
    intent: null,
    trouble: null,
    writeBack: null,
    learnt: {},
    client: null,
  };
}

/** Every change of an account record is the next generation. */
export function next(record: AccountRecord, change: Partial<AccountRecord>): AccountRecord {
  return { ...record, ...change, generation: record.generation + 1 };
}

/** A new credential, from a login, an adoption or a rotation: whatever was wrong with the old one is over. */
export function withCredential(
  record: AccountRecord,
  credential: Credential,
  at: Epoch,
  expiry: RefreshExpiry,
): AccountRecord {
  return next(record, {
    login: 'ready',
    credential: { kind: credential.kind, fingerprint: credential.fingerprint, obtainedAt: at },
    expiry,
    intent: null,
    trouble: null,
  });
}

/** The credential is about to be sent. An intent whose outcome is unknown stays known by its own time. */
export function withIntent(record: AccountRecord, attempt: string, at: Epoch): AccountRecord {
  const intent: Intent = {
    attempt,
    spends: record.credential?.fingerprint ?? '',
    at: unknownSince(record) ?? at,
    outcome: 'open',
  };
  return next(record, { intent });
}

/** Since when it is unknown whether the present credential was spent; undefined if it is not in doubt. */
export function unknownSince(record: AccountRecord): Epoch | undefined {
  const { intent, credential } = record;
  return intent !== null && credential !== null && intent.spends === credential.fingerprint ? intent.at : undefined;
}

/** The issuer definitely refused the credential we hold; `answer` says what may have become of it. */
export function refusedCredential(
  account: Account,
  record: AccountRecord,
  doubt: Epoch | undefined,
  answer: Fault,
  now: Epoch,
  chance: number,
): AccountRecord {
  const hint = loginHint(account);
  if (doubt !== undefined) {
    const sentence = `${answer.message}; the answer to a request of ${new Date(doubt).toISOString()} never arrived, and its refresh token was probably lost with it`;
    const fault = new Fault('login-needed', sentence, { hint });
    return next(record, { login: 'dead', intent: null, trouble: troubleOf(record.trouble, fault, now, null) });
  }
  const since = record.login === 'suspended' && record.trouble !== null ? record.trouble.since : now;
  if (between(since, now) > suspendedFor) {
    const fault = new Fault('login-needed', `${answer.message}, and has done so for a day`, { hint });
    return next(record, { login: 'dead', intent: null, trouble: { ...troubleOf(null, fault, now, null), since } });
  }
  const fault = new Fault('login-suspended', answer.message, {
    hint: `${hint}; it is looked at again once an hour for a day`,
  });
  return next(record, {
    login: 'suspended',
    intent: null,
    trouble: troubleOf(record.trouble, fault, now, nextRecheck(now, chance)),
  });
}

/** Why nothing is asked of the issuer for this account now; undefined if something may be. */
export function accountHeld(
  record: AccountRecord | undefined,
  account: Account,
  now: Epoch,
  { forced = false }: { readonly forced?: boolean } = {},
): { fault: Fault; until: Epoch | null } | undefined {
  const trouble = record?.trouble ?? null;
  if (trouble === null || record === undefined || record.fingerprint !== account.fingerprint) return undefined;
  if (forced && trouble.code === 'client-refused') return undefined;
  if (trouble.lastAt > after(now, days(1))) return undefined; // The clock was set back.
  if (trouble.nextTry !== null && trouble.nextTry <= now) return undefined;
  const fault = new Fault(trouble.code, trouble.sentence, trouble.hint === undefined ? {} : { hint: trouble.hint });
  return { fault, until: trouble.nextTry };
}
