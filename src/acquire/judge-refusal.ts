import type { FaultCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { textOf } from './answer-json.ts';
import type { GrantOutcome, RawAnswer } from './grant.ts';
import { cleanWords } from './issuer-words.ts';
import { retryAfter } from './retry-after.ts';

/** What the judge has to know of the request. */
export interface JudgeTerms {
  /** The account, for hints. */
  readonly account: string;
  /** What was spent, in words, such as `refresh token`; undefined when nothing was, so that nothing can be dead. */
  readonly credential: string | undefined;
  /** How a person brings a new credential, where that is not `tokeep account login`. */
  readonly newLogin?: string | undefined;
}

interface Meaning {
  readonly code: FaultCode;
  readonly what: string;
  readonly hint: string;
}

const clientRefused: Meaning = {
  code: 'client-refused',
  what: 'does not accept the client',
  hint: 'check client_id, its secret or key, and client_auth; the client may have been deleted or its secret changed',
};
const refused = (what: string, hint: string): Meaning => ({ code: 'request-refused', what, hint });

/** The error codes of RFC 6749 section 5.2 and RFC 8707 section 2, and what they ask of whom. */
const meanings: ReadonlyMap<string, Meaning> = new Map(
  Object.entries({
    invalid_client: clientRefused,
    invalid_scope: refused('refuses the scopes', 'ask for scopes that the issuer offers and that the client may have'),
    invalid_target: refused('refuses the audience', 'check audience, and audience_style of the account'),
    unauthorized_client: refused(
      'does not let this client ask in this way',
      'the client must be registered for this grant at the issuer',
    ),
    unsupported_grant_type: refused('does not know this grant', 'choose another grant for the account'),
    invalid_request: refused('finds the request wrong', 'check scope, audience and audience_style'),
    access_denied: refused('denies the token', 'ask those who run the issuer why'),
  }),
);
const otherwise = refused('refuses the request', 'ask those who run the issuer what it means');

/** Errors that are about the moment, not about us. */
const passing: ReadonlyMap<string, FaultCode> = new Map([
  ['temporarily_unavailable', 'issuer-overloaded'],
  ['slow_down', 'issuer-overloaded'],
  ['server_error', 'issuer-fault'],
]);

/** What an error answer means. Pure; the issuer's words are cleaned, and what we sent is taken out of them. */
export function judgeRefusal(raw: RawAnswer, terms: JudgeTerms, place: string): GrantOutcome {
  const oauthError = cleanWords(textOf(raw, 'error') ?? '', raw.asked?.secrets);
  const said = `${oauthError === '' ? `status ${raw.status}` : oauthError}${descriptionOf(raw)}`;
  const passes = passing.get(oauthError);
  if (passes !== undefined) {
    const at = retryAfter(raw.headers['retry-after'], raw.receivedAt, raw.headers['date']);
    const fault = new Fault(
      passes,
      `${place} asks to come back later: ${said}`,
      at === undefined ? {} : { retryAt: at },
    );
    return { kind: 'later', fault, retryAfter: at };
  }
  if (oauthError === 'invalid_grant' && terms.credential !== undefined) {
    return {
      kind: 'refused',
      fault: deadCredential(terms, place, said),
      oauthError,
      credentialDead: true,
    };
  }
  const { code, what, hint } = meaningOf(oauthError, raw.status);
  return {
    kind: 'refused',
    fault: new Fault(code, `${place} ${what}: ${said}`, { hint }),
    oauthError,
    credentialDead: false,
  };
}

function meaningOf(oauthError: string, status: number): Meaning {
  return meanings.get(oauthError) ?? (status === 401 ? clientRefused : otherwise);
}

function deadCredential({ credential, account, newLogin }: JudgeTerms, place: string, said: string): Fault {
  const causes = 'it ran out, was revoked, or was used elsewhere (a copy of the state, another program)';
  return new Fault('login-needed', `${place} refuses the ${credential} of account ${account}: ${said}; ${causes}`, {
    hint: newLogin ?? `log in again: tokeep account login ${account}`,
  });
}

function descriptionOf(raw: RawAnswer): string {
  const words = cleanWords(textOf(raw, 'error_description') ?? '', raw.asked?.secrets);
  return words === '' ? '' : ` ("${words}")`;
}
