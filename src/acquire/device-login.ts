import { renderUnicodeCompact } from 'uqr';
import { Fault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import { after, between, type Millis, type Mono, millis, minutes, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { jsonOf, textOf } from './answer-json.ts';
import type { NoAnswer, RawAnswer } from './grant.ts';
import { laterFault } from './later.ts';
import {
  clientOf,
  type Keep,
  type LoginListener,
  type LoginOutcome,
  type LoginTerms,
  notLoggedIn,
  oauthError,
  pause,
  refusal,
  settleLogin,
} from './login-flow.ts';
import { postToken } from './token-endpoint.ts';

export interface DeviceTerms extends LoginTerms {
  readonly deviceEndpoint: string;
}

/** RFC 8628 section 3.2, as told by the issuer and brought into bounds. */
export interface DeviceCode {
  readonly code: Secret<'device_code'>;
  readonly userCode: string;
  readonly url: string;
  readonly complete: string | undefined;
  readonly life: Millis;
  readonly interval: Millis;
}

const slowDownStep = seconds(5);
const longestWait = minutes(1);

/**
 * The device flow (RFC 8628): a code is shown, somebody enters it on a device of theirs, and meanwhile the token endpoint is
 * asked, never faster than told. Ends when it was approved, declined, or the code ran out; the signal breaks it off.
 */
export async function deviceLogin(
  world: World,
  terms: DeviceTerms,
  tell: LoginListener,
  keep: Keep,
): Promise<LoginOutcome> {
  const asked = await askForCode(world, terms);
  if (asked.kind === 'none') return notLoggedIn(asked.fault);
  const device = parseDeviceCode(asked);
  if (device === undefined) return notLoggedIn(refusal(asked, terms));
  const runsOutAt = after(world.clock.monotonic(), device.life);
  tell({
    kind: 'visit',
    url: device.url,
    complete: device.complete,
    userCode: device.userCode,
    qr: renderUnicodeCompact(device.complete ?? device.url),
    expiresIn: device.life,
  });
  return await poll(world, terms, device, runsOutAt, tell, keep);
}

function askForCode(world: World, terms: DeviceTerms): Promise<RawAnswer | NoAnswer> {
  const form = new URLSearchParams({ client_id: terms.clientId });
  if (terms.scope.length > 0) form.set('scope', terms.scope.join(' '));
  for (const [name, value] of terms.audience) form.append(name, value);
  return postToken(world, { ...clientOf(terms), url: terms.deviceEndpoint, form, connection: 'pooled' });
}

/** Undefined if it is not a device authorization answer. Lives and intervals that make no sense are brought into bounds. */
export function parseDeviceCode(raw: RawAnswer): DeviceCode | undefined {
  const code = textOf(raw, 'device_code');
  const userCode = textOf(raw, 'user_code');
  // Google wrote it `verification_url` before the RFC, and still does.
  const url = webUrl(textOf(raw, 'verification_uri') ?? textOf(raw, 'verification_url'));
  if (raw.status !== 200 || !code || !userCode || !/^[\x20-\x7e]{1,64}$/.test(userCode) || url === undefined)
    return undefined;
  const life = positive(jsonOf(raw)?.['expires_in']) ?? 600;
  const bounded = Math.min(Math.max(life, 10), 3600);
  const told = positive(jsonOf(raw)?.['interval']) ?? 5;
  return {
    code: new Secret('device_code', code),
    userCode,
    url,
    complete: webUrl(textOf(raw, 'verification_uri_complete')),
    life: seconds(bounded),
    // An interval that leaves no second try within the code's life cannot be meant.
    interval: seconds(Math.min(Math.max(told, 1), bounded / 2)),
  };
}

function positive(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}

/** It is shown to a person to be opened: only a web page, and nothing that plays with the terminal. */
function webUrl(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 2048 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
}

async function poll(
  world: World,
  terms: DeviceTerms,
  device: DeviceCode,
  runsOutAt: Mono,
  tell: LoginListener,
  keep: Keep,
): Promise<LoginOutcome> {
  const { clock } = world;
  let interval = device.interval;
  let wait = interval;
  let lost = false;
  while (after(clock.monotonic(), wait) < runsOutAt) {
    tell({ kind: 'waiting', next: wait });
    await pause(clock, wait, terms.signal);
    const answer = await askForToken(world, terms, device);
    const setback = setbackOf(answer, terms);
    if (setback === undefined && answer.kind === 'raw') {
      const error = oauthError(answer);
      if (error === 'slow_down') interval = millis(interval + slowDownStep);
      else if (error !== 'authorization_pending') return await conclude(answer, terms, lost, keep);
      wait = interval;
    } else if (setback !== undefined) {
      lost ||= answer.kind === 'none' && answer.sent === 'perhaps';
      tell({ kind: 'hiccup', sentence: setback.sentence });
      // RFC 8628 section 3.5: on a connection that fails, back off by doubling. Retry-After is a floor.
      const doubled = Math.max(interval, Math.min(wait * 2, longestWait));
      wait = millis(Math.max(doubled, setback.atLeast));
    }
  }
  return notLoggedIn(ranOut(device));
}

interface Setback {
  readonly sentence: string;
  readonly atLeast: Millis;
}

/** What says nothing about the login, only that the question has to be asked again: no answer, or an overloaded or broken server. */
function setbackOf(answer: RawAnswer | NoAnswer, terms: DeviceTerms): Setback | undefined {
  if (answer.kind === 'none') return { sentence: answer.fault.message, atLeast: millis(0) };
  // An answer that carries a refresh token is one, whatever its status.
  if (textOf(answer, 'refresh_token') !== undefined || oauthError(answer) !== undefined) return undefined;
  const later = laterFault(answer, new URL(terms.tokenEndpoint).origin);
  if (later === undefined) return undefined;
  const atLeast = later.retryAfter === undefined ? millis(0) : between(answer.receivedAt, later.retryAfter);
  return { sentence: later.fault.message, atLeast };
}

function askForToken(world: World, terms: DeviceTerms, device: DeviceCode): Promise<RawAnswer | NoAnswer> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device.code.reveal(),
    client_id: terms.clientId,
  });
  for (const [name, value] of terms.audience) form.append(name, value);
  const post = { url: terms.tokenEndpoint, form, connection: 'fresh', secrets: [device.code] } as const;
  return postToken(world, { ...clientOf(terms), ...post });
}

async function conclude(raw: RawAnswer, terms: DeviceTerms, lost: boolean, keep: Keep): Promise<LoginOutcome> {
  const error = oauthError(raw);
  const where = new URL(terms.tokenEndpoint).origin;
  const again = { hint: 'start the login again' };
  if (error === 'access_denied') {
    return notLoggedIn(new Fault('login-declined', `the login at ${where} was declined there`, again));
  }
  if (error === 'expired_token') {
    return notLoggedIn(new Fault('login-declined', `the login code of ${where} ran out before it was approved`, again));
  }
  if (error === 'invalid_grant' && lost) {
    const sentence = `${where} does not know the login code any more; an earlier answer of it was lost on the way`;
    return notLoggedIn(new Fault('login-declined', sentence, again));
  }
  return await settleLogin(raw, terms, keep);
}

function ranOut(device: DeviceCode): Fault {
  const where = new URL(device.url).origin;
  const sentence = `the login at ${where} was not approved within ${Math.round(device.life / 1000)} s; its code has run out`;
  return new Fault('login-declined', sentence, { hint: 'start the login again' });
}
