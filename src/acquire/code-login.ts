import { createHash } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import { type Millis, minutes } from '../token/time.ts';
import { htmlText } from '../world/html-text.ts';
import type { ListenOnLoopback, PageAnswer, PageRequest } from '../world/loopback-listener.ts';
import type { World } from '../world/world.ts';
import { cleanWords } from './issuer-words.ts';
import {
  clientOf,
  type Keep,
  type LoginListener,
  type LoginOutcome,
  type LoginTerms,
  notLoggedIn,
  pause,
  settleLogin,
} from './login-flow.ts';
import { postToken } from './token-endpoint.ts';

export interface CodeTerms extends LoginTerms {
  readonly authorizationEndpoint: string;
  /** The issuer says that its redirects carry `iss` (RFC 9207): then one without it is refused. */
  readonly issInRedirect: boolean;
  /** How long somebody may take. */
  readonly patience: Millis;
}

export const defaultPatience = minutes(10);

/** Where the browser comes back to. Registered without a port: the port is free in loopback redirects (RFC 8252 section 7.3). */
export const callbackPath = '/callback';
export const registeredRedirect = `http://127.0.0.1${callbackPath}`;

/** What only we know of one login: made fresh for each, compared with what comes back. */
interface Attempt {
  readonly state: Secret<'oidc_state'>;
  readonly verifier: string;
  readonly redirect: string;
}

type Returned =
  | { readonly kind: 'code'; readonly code: Secret<'authorization_code'> }
  | { readonly kind: 'refused'; readonly fault: Fault }
  /** Not ours: somebody else's page, a favicon, a stale tab. The login goes on waiting. */
  | { readonly kind: 'stray' };

/**
 * Authorization code with PKCE (RFC 7636, S256 only) and a redirect to a port of this machine (RFC 8252). The first redirect
 * that carries our state decides; everything after it is turned away.
 */
export async function codeLogin(
  world: World,
  listen: ListenOnLoopback,
  terms: CodeTerms,
  tell: LoginListener,
  keep: Keep,
): Promise<LoginOutcome> {
  const { promise, resolve } = Promise.withResolvers<Exclude<Returned, { kind: 'stray' }>>();
  let attempt: Attempt | undefined;
  let settled = false;
  await using listener = await listen((request) => {
    if (attempt === undefined || settled) return page(410, 'This login is over', 'You can close this page.');
    const returned = readRedirect(request, attempt, terms);
    if (returned.kind === 'stray') return page(404, 'Nothing here', 'This address only takes the end of a login.');
    settled = true;
    resolve(returned);
    if (returned.kind === 'code') return page(200, 'Done here', 'Go back to the terminal; you can close this page.');
    return page(400, 'The login did not work', returned.fault.message);
  });
  attempt = newAttempt(world, listener.port);
  tell({ kind: 'open', url: authorizationUrl(terms, attempt), expiresIn: terms.patience });
  const over = new AbortController();
  const signal = AbortSignal.any([terms.signal, over.signal]);
  const returned = await Promise.race([promise, timeIsUp(world, { ...terms, signal })]).finally(() => over.abort());
  settled = true;
  if (returned.kind === 'refused') return notLoggedIn(returned.fault);
  return await exchange(world, terms, attempt, returned.code, keep);
}

function newAttempt(world: World, port: number): Attempt {
  return {
    state: new Secret('oidc_state', world.random.bytes(32).toString('base64url')),
    verifier: world.random.bytes(32).toString('base64url'),
    redirect: `http://127.0.0.1:${port}${callbackPath}`,
  };
}

function authorizationUrl(terms: CodeTerms, attempt: Attempt): string {
  const url = new URL(terms.authorizationEndpoint);
  const set = (name: string, value: string) => url.searchParams.set(name, value);
  set('response_type', 'code');
  set('client_id', terms.clientId);
  set('redirect_uri', attempt.redirect);
  if (terms.scope.length > 0) set('scope', terms.scope.join(' '));
  set('state', attempt.state.reveal());
  set('code_challenge', createHash('sha256').update(attempt.verifier).digest('base64url'));
  set('code_challenge_method', 'S256');
  // OpenID Connect Core section 11: without consent, offline_access may be ignored.
  if (terms.scope.includes('offline_access')) set('prompt', 'consent');
  for (const [name, value] of terms.audience) url.searchParams.append(name, value);
  return url.href;
}

function readRedirect(request: PageRequest, attempt: Attempt, terms: CodeTerms): Returned {
  const expected = new URL(attempt.redirect);
  if (request.method !== 'GET' || request.host !== expected.host || !URL.canParse(request.target, expected.href)) {
    return { kind: 'stray' };
  }
  const { pathname, searchParams: given } = new URL(request.target, expected);
  const state = new Secret('oidc_state', given.get('state') ?? '');
  if (pathname !== callbackPath || !state.equals(attempt.state)) return { kind: 'stray' };
  const where = new URL(terms.authorizationEndpoint).origin;
  const iss = given.get('iss');
  if (iss === null ? terms.issInRedirect : iss !== terms.issuer) {
    const found = iss === null ? 'no issuer' : `the issuer "${cleanWords(iss)}"`;
    const sentence = `the redirect of the login at ${where} names ${found} instead of "${terms.issuer}"; it is not used`;
    return {
      kind: 'refused',
      fault: new Fault('issuer-mismatch', sentence, { hint: 'start the login again (RFC 9207)' }),
    };
  }
  const code = given.get('code');
  if (code !== null && code !== '') return { kind: 'code', code: new Secret('authorization_code', code) };
  const error = cleanWords(given.get('error') ?? 'no code');
  const words = cleanWords(given.get('error_description') ?? '');
  const sentence = `the login at ${where} ended with ${error}${words === '' ? '' : ` (${words})`}`;
  const declined = error === 'access_denied';
  return { kind: 'refused', fault: new Fault(declined ? 'login-declined' : 'request-refused', sentence) };
}

async function timeIsUp(world: World, terms: CodeTerms): Promise<{ kind: 'refused'; fault: Fault }> {
  await pause(world.clock, terms.patience, terms.signal);
  const sentence = `nobody came back from ${new URL(terms.authorizationEndpoint).origin} within ${terms.patience / 1000} s`;
  return { kind: 'refused', fault: new Fault('login-declined', sentence, { hint: 'start the login again' }) };
}

async function exchange(
  world: World,
  terms: CodeTerms,
  attempt: Attempt,
  code: Secret<'authorization_code'>,
  keep: Keep,
): Promise<LoginOutcome> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: code.reveal(),
    redirect_uri: attempt.redirect,
    client_id: terms.clientId,
    code_verifier: attempt.verifier,
  });
  for (const [name, value] of terms.audience) form.append(name, value);
  const answer = await postToken(world, {
    ...clientOf(terms),
    url: terms.tokenEndpoint,
    form,
    connection: 'fresh',
    secrets: [code],
  });
  if (answer.kind === 'none') return notLoggedIn(answer.fault);
  return await settleLogin(answer, terms, keep);
}

function page(status: number, title: string, text: string): PageAnswer {
  const html = `<!doctype html><meta charset="utf-8"><title>tokeep</title><h1>${htmlText(title)}</h1><p>${htmlText(text)}</p>\n`;
  return { status, html };
}
