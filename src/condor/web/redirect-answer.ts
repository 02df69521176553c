import { cleanWords } from '../../acquire/issuer-words.ts';
import { readForm } from '../../serve/form.ts';
import { Secret } from '../../token/secret.ts';
import type { Attempt } from './attempt-table.ts';

/** What a browser brings back from an issuer, before it is known whose it is. */
export interface Returned {
  readonly state: string;
  readonly iss: string | undefined;
  readonly code: Secret<'authorization_code'> | undefined;
  readonly error: string | undefined;
  readonly words: string;
}

export type RedirectVerdict =
  | { readonly kind: 'code'; readonly code: Secret<'authorization_code'>; readonly iss: string | undefined }
  | { readonly kind: 'refused'; readonly why: string; readonly hint?: string };

/** Reads the query of a redirect, from the address asked for; undefined where it could mean two things, or has no `state`. */
export function readRedirect(target = ''): Returned | undefined {
  const answer = readForm(target.includes('?') ? target.slice(target.indexOf('?') + 1) : '');
  const state = answer.kind === 'form' ? answer.form.one('state') : undefined;
  if (answer.kind !== 'form' || state === undefined || state.length > 200) return undefined;
  const code = answer.form.one('code');
  return {
    state,
    iss: answer.form.one('iss'),
    code: code === undefined ? undefined : new Secret('authorization_code', code),
    error: answer.form.one('error'),
    words: cleanWords(answer.form.one('error_description') ?? ''),
  };
}

export const mixedUp =
  'Start again. If it happens again, tell the administrator of this access point: somebody may be mixing up issuers.';

/** Judges a redirect whose `state` is that of the attempt (RFC 6749 section 4.1.2, RFC 9207 section 2.4). */
export function judgeRedirect(returned: Returned, attempt: Attempt, host: string): RedirectVerdict {
  const { iss, code, error, words } = returned;
  if (iss === undefined ? attempt.issInRedirect : attempt.issuer !== undefined && iss !== attempt.issuer) {
    const found = iss === undefined ? 'names no issuer' : `names the issuer ${cleanWords(iss)}`;
    return {
      kind: 'refused',
      why: `the answer ${found}, and ${attempt.issuer ?? host} was asked; it was not used`,
      hint: mixedUp,
    };
  }
  if (error === undefined && code !== undefined) return { kind: 'code', code, iss };
  const name = cleanWords(error ?? 'no code');
  if (name === 'access_denied') {
    return {
      kind: 'refused',
      why: `the login was declined at ${host}`,
      hint: 'Nothing was changed. You can try again.',
    };
  }
  const later = name === 'server_error' || name === 'temporarily_unavailable';
  return {
    kind: 'refused',
    why: `${host} did not log you in: ${name}${words === '' ? '' : ` (${words})`}`,
    hint: later
      ? 'It has a fault of its own at the moment. Try again in a while.'
      : (hints.get(name) ?? 'Tell the administrator of this access point what it says here.'),
  };
}

/** A map, since a name such as `__proto__` finds something in every object. */
const hints: ReadonlyMap<string, string> = new Map([
  [
    'invalid_scope',
    'The permissions in your submit file are not all for you to have there. Mend them, and submit again.',
  ],
  ['invalid_target', 'The resource in your submit file is not one that this issuer knows. Mend it, and submit again.'],
]);
