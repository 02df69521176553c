import type { MytokenAccount } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import { textOf } from './answer-json.ts';
import type { GrantOutcome, RawAnswer } from './grant.ts';
import { cleanWords } from './issuer-words.ts';
import { judgeTokenAnswer } from './judge.ts';

/** What an answer of a Mytoken server means. Its own error codes come first; what is left is a token endpoint like others. */
export function judgeMytokenAnswer(raw: RawAnswer, account: MytokenAccount): GrantOutcome {
  const error = textOf(raw, 'error') ?? '';
  const said = cleanWords(textOf(raw, 'error_description') ?? '', raw.asked?.secrets);
  if (raw.status >= 400) {
    if (isDead(error, said)) return dead(account, error, said);
    if (error === 'oidc_error') return judgeProvider(raw, account, said);
    const advice = limits.get(error);
    if (advice !== undefined) return refused(account, error, said, advice);
  }
  return judgeTokenAnswer(raw, { account: account.name, credential: 'mytoken', newLogin: account.newLogin });
}

/** A mytoken in the body that the server cannot resolve at all is an `invalid_request` to it. */
const isDead = (error: string, said: string): boolean =>
  error === 'invalid_token' ||
  error === 'expired_token' ||
  (error === 'invalid_request' && /token not valid/i.test(said));

/** What the mytoken itself forbids: another one is needed, or another wish. */
const limits: ReadonlyMap<string, string> = new Map(
  Object.entries({
    usage_restricted:
      'its restrictions (scope, audience, time, place or number of uses) do not allow this; ask for less, or make another mytoken',
    insufficient_capabilities: 'make a mytoken with the capability AT',
    access_denied: 'ask those who run the mytoken server why',
  }),
);

function dead(account: MytokenAccount, error: string, said: string): GrantOutcome {
  const causes = 'it ran out, was revoked, or was used elsewhere and has rotated';
  const sentence = `${account.server} refuses the mytoken of account ${account.name}: ${words(error, said)}; ${causes}`;
  const fault = new Fault('login-needed', sentence, {
    hint: 'make a new mytoken (on the pages of the server, or with its client) and put it where the account reads it',
  });
  return { kind: 'refused', fault, oauthError: error, credentialDead: true };
}

function refused(account: MytokenAccount, error: string, said: string, hint: string): GrantOutcome {
  const sentence = `${account.server} refuses what account ${account.name} asks for: ${words(error, said)}`;
  return {
    kind: 'refused',
    fault: new Fault('request-refused', sentence, { hint }),
    oauthError: error,
    credentialDead: false,
  };
}

/** `<error>: <description>` of the provider behind the server, with the provider's own status. */
function judgeProvider(raw: RawAnswer, account: MytokenAccount, said: string): GrantOutcome {
  const theirs = /^\s*([a-z_]+)/.exec(said)?.[1] ?? '';
  if (theirs === 'invalid_grant' || theirs === 'invalid_token') return dead(account, theirs, said);
  if (theirs === 'invalid_scope' || theirs === 'invalid_target') {
    return refused(account, theirs, said, 'ask for scopes and audiences that the issuer gives');
  }
  if (raw.status === 429 || raw.status === 503)
    return judgeTokenAnswer(raw, { account: account.name, credential: 'mytoken', newLogin: account.newLogin });
  const sentence = `the issuer behind ${account.server} did not answer it as it should: ${words('oidc_error', said)}`;
  return { kind: 'later', fault: new Fault('issuer-fault', sentence), retryAfter: undefined };
}

const words = (error: string, said: string): string => (said === '' ? error : `${error} ("${said}")`);
