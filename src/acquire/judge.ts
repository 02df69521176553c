import { Fault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import { jsonOf, textOf } from './answer-json.ts';
import type { GrantOutcome, RawAnswer } from './grant.ts';
import { cleanWords } from './issuer-words.ts';
import { type JudgeTerms, judgeRefusal } from './judge-refusal.ts';
import { laterFault } from './later.ts';
import { readExpiresIn, readScope, readTokenType } from './token-answer.ts';

/** Longest access token that is taken; the store and HTTP headers have their limits. */
const largestToken = 16 * 1024;
/** What can stand in an Authorization header: no blank, no control character, ASCII (RFC 6750 section 2.1 allows less). */
const sendable = /^[\x21-\x7e]+$/;

/** What an answer of a token endpoint means (RFC 6749 sections 5.1 and 5.2). Pure; never quotes a token. */
export function judgeTokenAnswer(raw: RawAnswer, terms: JudgeTerms): GrantOutcome {
  if (raw.status >= 200 && raw.status < 300) return judgeSuccess(raw, terms);
  if (raw.status >= 300 && raw.status < 400) return nonsense(raw, redirected(raw));
  const later = laterFault(raw, placeOf(raw));
  if (later !== undefined) return { kind: 'later', fault: later.fault, retryAfter: later.retryAfter };
  if (raw.status < 400 || jsonOf(raw) === null) return nonsense(raw, `answered ${raw.status} with ${bodyInWords(raw)}`);
  return judgeRefusal(raw, terms, placeOf(raw));
}

function judgeSuccess(raw: RawAnswer, terms: JudgeTerms): GrantOutcome {
  const json = jsonOf(raw);
  if (json === null) return nonsense(raw, `answered ${raw.status} with ${bodyInWords(raw)}`);
  const text = json['access_token'];
  if (text === undefined && textOf(raw, 'error') !== undefined) return judgeRefusal(raw, terms, placeOf(raw));
  if (typeof text !== 'string' || text === '') return nonsense(raw, 'answered without an access_token');
  if (text.length > largestToken) return nonsense(raw, `gave an access_token of ${text.length} characters`);
  if (!sendable.test(text)) return nonsense(raw, 'gave an access_token with characters that cannot be sent');
  const oddities: string[] = [];
  const unfit = readTokenType(json['token_type'], oddities);
  if (unfit !== undefined) return nonsense(raw, unfit);
  if (!/\bjson\b/.test(raw.headers['content-type'] ?? '')) oddities.push('the answer does not say that it is JSON');
  return {
    kind: 'token',
    token: new Secret('access_token', text),
    expiresIn: readExpiresIn(json['expires_in'], oddities),
    sentAt: raw.sentAt,
    receivedAt: raw.receivedAt,
    scope: readScope(json['scope'], oddities),
    oddities,
    ...(raw.remarks === undefined ? {} : { remarks: raw.remarks }),
  };
}

/** Where the answer comes from, for sentences. */
function placeOf(raw: RawAnswer): string {
  return raw.asked === undefined ? 'the issuer' : raw.asked.url.replace(/[?#].*$/, '');
}

function nonsense(raw: RawAnswer, found: string): GrantOutcome {
  const fault = new Fault('issuer-nonsense', `asked for a token: ${placeOf(raw)} ${found}`, {
    hint: 'a login page or a proxy may stand between here and the issuer; it is tried again',
  });
  return { kind: 'later', fault, retryAfter: undefined };
}

/** A token request is never sent on to where a redirect points; only the host is named, since the rest may hold anything. */
function redirected(raw: RawAnswer): string {
  const location = raw.headers['location'] ?? '';
  const base = raw.asked?.url ?? 'https://issuer.invalid';
  const host = URL.canParse(location, base) ? new URL(location, base).host : 'nowhere';
  return `redirects to ${cleanWords(host)} (${raw.status}), which is not followed`;
}

function bodyInWords(raw: RawAnswer): string {
  if (raw.body.trim() === '') return 'nothing';
  const type = (raw.headers['content-type'] ?? '').split(';')[0]?.trim();
  const kind = type === undefined || type === '' ? 'something' : cleanWords(type);
  return kind.includes('json') ? 'JSON that is broken or no object' : `${kind} instead of JSON`;
}
