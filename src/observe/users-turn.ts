import type { Account, Wish } from '../config/config.ts';
import type { FaultCode, Who } from '../fault/codes.ts';
import type { Trouble } from '../store/records.ts';
import type { Condition } from './condition.ts';

/** Whether a user holds the credential of an account at an access point of HTCondor, so that nobody else can bring a better one. */
export const isUsersOwn = (account: Account | undefined): boolean =>
  account !== undefined && (account.newLogin !== undefined || account.grant === 'held_token');

const ofCredential: ReadonlySet<FaultCode> = new Set(['login-needed', 'login-suspended', 'token-not-replaced']);

/** Whose turn it is: a user's own credential, and what a user asks for with it, is that user's to mend. */
export function whose({ code, who }: Pick<Trouble, 'code' | 'who'>, account: Account | undefined, wish?: Wish): Who {
  if (!isUsersOwn(account)) return who;
  if (ofCredential.has(code)) return 'user';
  const asks = wish !== undefined && (wish.scope.kind === 'scopes' || wish.audience.audiences.length > 0);
  return code === 'request-refused' && asks ? 'user' : who;
}

/** With many users a sentence that names none of them helps nobody. */
export function namingUser(condition: Condition): Condition {
  const { subject, sentence } = condition;
  const user = subject.kind === 'wish' || subject.kind === 'account' ? userOf(condition) : undefined;
  if (user === undefined || sentence.includes(`${user}/`)) return condition;
  return { ...condition, sentence: `${subject.name}: ${sentence}` };
}

/** The user whom a condition is about: `alice` of `alice/mytok`, or of its finding `tokens.alice/mytok`. */
export const userOf = ({ subject }: Condition): string | undefined => /^(?:tokens\.)?([^/]+)\//.exec(subject.name)?.[1];
