import { Fault } from '../fault/fault.ts';
import type { Credential } from '../token/secret.ts';
import { Secret } from '../token/secret.ts';
import { after, between, type Millis, minutes, seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import { jsonOf, textOf } from './answer-json.ts';
import type { ResolvedClientAuth } from './client-auth.ts';
import type { RawAnswer } from './grant.ts';
import { cleanWords } from './issuer-words.ts';
import { laterFault } from './later.ts';

/** What every way of logging in needs: which client asks which issuer for what. */
export interface LoginTerms {
  /** The exact `iss` string. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly auth: ResolvedClientAuth;
  readonly scope: readonly string[];
  /** Parameters that say for whom, in the issuer's own way; sent with the first request and with the last. */
  readonly audience: readonly (readonly [name: string, value: string])[];
  readonly caFile?: string;
  readonly timeout: Millis;
  readonly signal: AbortSignal;
}

/** What a person has to know while a login is under way. */
export type LoginEvent =
  /** Open this page on any device and enter the code. `qr` is the page (with the code, where the issuer allows) as text. */
  | {
      readonly kind: 'visit';
      readonly url: string;
      readonly complete: string | undefined;
      readonly userCode: string;
      readonly qr: string;
      readonly expiresIn: Millis;
    }
  /** Open this page in a browser on this machine. */
  | { readonly kind: 'open'; readonly url: string; readonly expiresIn: Millis }
  | { readonly kind: 'waiting'; readonly next: Millis }
  /** It will be tried again. */
  | { readonly kind: 'hiccup'; readonly sentence: string };

export type LoginListener = (event: LoginEvent) => void;

/** The credential of a login, with what its answer says about how long it lives. */
export interface Gain {
  readonly credential: Credential;
  readonly expiresIn: Millis | undefined;
  readonly grantedScope: string | undefined;
}

/**
 * Makes the credential durable. A flow awaits it before it looks at anything else in the answer, so that an answer with an
 * otherwise broken rest still ends in a login (scenario 5).
 */
export type Keep = (gain: Gain) => Promise<void>;

export type LoginOutcome =
  | { readonly kind: 'logged-in'; readonly gain: Gain }
  /** Declined, run out of time, refused, or without a refresh token; the fault says which. */
  | { readonly kind: 'not-logged-in'; readonly fault: Fault };

export const notLoggedIn = (fault: Fault): LoginOutcome => ({ kind: 'not-logged-in', fault });

/** Salvages first, judges second: the refresh token is out of the answer and kept before its status is even looked at. */
export async function settleLogin(raw: RawAnswer, terms: LoginTerms, keep: Keep): Promise<LoginOutcome> {
  const text = textOf(raw, 'refresh_token');
  if (text !== undefined && text !== '') {
    const gain: Gain = {
      credential: new Secret('refresh_token', text),
      expiresIn: refreshLife(raw),
      grantedScope: textOf(raw, 'scope'),
    };
    await keep(gain);
    return { kind: 'logged-in', gain };
  }
  const where = new URL(terms.tokenEndpoint).origin;
  if (textOf(raw, 'access_token') !== undefined) {
    return notLoggedIn(
      new Fault(
        'request-refused',
        `${where} accepted the login but gave no refresh token to client ${terms.clientId}`,
        {
          hint: 'ask for the scope offline_access, and let the client use the grant refresh_token',
        },
      ),
    );
  }
  return notLoggedIn(refusal(raw, terms));
}

/** Keycloak, dCache and others say it; absurd values say nothing (scenario 44). */
function refreshLife(raw: RawAnswer): Millis | undefined {
  const value = Number(jsonOf(raw)?.['refresh_expires_in'] ?? Number.NaN);
  // Keycloak says 0 for offline tokens, which never end.
  return Number.isFinite(value) && value > 0 && value < 100 * 366 * 86_400 ? seconds(value) : undefined;
}

/** OAuth error codes are short ASCII words (RFC 6749 section 5.2); anything else in their place is not repeated. */
export function oauthError(raw: RawAnswer): string | undefined {
  const error = textOf(raw, 'error');
  return error !== undefined && /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(error) ? error : undefined;
}

/** What is wrong when a token or device endpoint gave neither token nor code, in words. */
export function refusal(raw: RawAnswer, terms: LoginTerms): Fault {
  const where = new URL(terms.tokenEndpoint).origin;
  const error = oauthError(raw);
  if (error === undefined) {
    const later = laterFault(raw, where);
    if (later !== undefined) return later.fault;
    return new Fault('issuer-nonsense', `${where} answered the login with status ${raw.status} and no OAuth answer`);
  }
  const said = describe(raw, error);
  if (error === 'invalid_client' || error === 'unauthorized_client') {
    return new Fault('client-refused', `${where} does not accept client ${terms.clientId} for this login: ${said}`, {
      hint: 'check client id and secret, and that the client may use this login and the grant refresh_token',
    });
  }
  return new Fault('request-refused', `${where} refused the login of client ${terms.clientId}: ${said}`, {
    ...(error === 'invalid_scope' ? { hint: `it was asked for: ${terms.scope.join(' ')}` } : {}),
  });
}

function describe(raw: RawAnswer, error: string): string {
  const words = cleanWords(textOf(raw, 'error_description') ?? '', raw.asked?.secrets);
  return words === '' ? error : `${error} (${words})`;
}

/** The part of a request to the token endpoint that is the same throughout a login. */
export const clientOf = (terms: LoginTerms) => ({
  clientId: terms.clientId,
  auth: terms.auth,
  issuer: terms.issuer,
  timeout: terms.timeout,
  signal: terms.signal,
  ...(terms.caFile === undefined ? {} : { caFile: terms.caFile }),
});

/** Sleeps in steps that a suspended machine cannot stretch without being noticed. Throws `login-declined` when the signal fires. */
export async function pause(clock: Clock, length: Millis, signal: AbortSignal): Promise<void> {
  const until = after(clock.monotonic(), length);
  try {
    for (let left = length; left > 0; left = between(clock.monotonic(), until)) {
      await clock.sleep(earlier(left, minutes(1)), signal);
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new Fault('login-declined', 'the login was broken off here; no new login was kept', { cause: thrown });
  }
}

const earlier = (a: Millis, b: Millis): Millis => (a < b ? a : b);
