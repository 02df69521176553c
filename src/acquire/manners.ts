import type { Account } from '../config/config.ts';
import type { AccountRecord } from '../store/records.ts';
import { after, type Epoch, hours } from '../token/time.ts';
import { chooseAudienceStyle, type SentAudienceStyle } from './audience-parameters.ts';
import type { RawAnswer, TokenRequest } from './grant.ts';

/** How an issuer wants to be asked, where standards and issuers differ. */
export interface Manners {
  readonly audience: SentAudienceStyle;
  /** Nobody said so and nothing was learnt: worth another try where it is refused. */
  readonly audienceIsGuess: boolean;
  /** Whether `scope=` with a single blank is understood, or must be left out. */
  readonly blankScope: 'blank' | 'absent';
  /** Only if it was learnt; else as the account says. */
  readonly clientAuth: 'form' | 'raw' | undefined;
}

type Learnt = Readonly<Record<string, string>>;

/** What was learnt since the record was read; the record has it after a restart. */
const remembered = new WeakMap<Account, Learnt>();

/** What the configuration says, else what was learnt, else a guess. */
export function mannersFor(account: Account, record: AccountRecord | undefined, request: TokenRequest): Manners {
  const learnt = { ...record?.learnt, ...remembered.get(account) };
  const audience = account.audienceStyle === 'auto' ? styleOf(learnt['audience']) : account.audienceStyle;
  return {
    audience: audience ?? chooseAudienceStyle(request.audience, request.scope),
    audienceIsGuess: audience === undefined,
    blankScope: learnt['blank-scope'] === 'absent' ? 'absent' : 'blank',
    clientAuth: encodingOf(learnt['client-auth']),
  };
}

/** For how long an audience that no style brought is asked for in one style only. */
const futileFor = hours(24);
const futile = new WeakMap<Account, Map<string, Epoch>>();

/** Neither style brought a token for this audience: until tomorrow each try costs one request, not two. */
export function noteFutile(account: Account, { audience }: TokenRequest, now: Epoch): void {
  const audiences = futile.get(account) ?? new Map<string, Epoch>();
  futile.set(account, audiences.set(audience.audiences.join(' '), after(now, futileFor)));
}

export function isFutile(account: Account, { audience }: TokenRequest, now: Epoch): boolean {
  return now < (futile.get(account)?.get(audience.audiences.join(' ')) ?? now);
}

const encodingOf = (text: string | undefined): Manners['clientAuth'] =>
  text === 'raw' || text === 'form' ? text : undefined;

const styleOf = (text: string | undefined): SentAudienceStyle | undefined =>
  text === 'audience' || text === 'resource' || text === 'both' ? text : undefined;

/** Adds what an answer taught to the answer (for the record) and to what this process remembers. */
export function learn(account: Account, answer: RawAnswer, manners: Partial<Manners>): RawAnswer {
  const learnt: Learnt = {
    ...answer.learnt,
    ...(manners.audience !== undefined ? { audience: manners.audience } : {}),
    ...(manners.blankScope === 'absent' ? { 'blank-scope': 'absent' } : {}),
  };
  if (Object.keys(learnt).length === 0) return answer;
  remembered.set(account, { ...remembered.get(account), ...learnt });
  return { ...answer, learnt };
}
