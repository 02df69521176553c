import { parseObject } from '../../acquire/answer-json.ts';
import { cleanWords } from '../../acquire/issuer-words.ts';
import { safeEndpoint } from '../../acquire/metadata.ts';
import { decodeJwt } from '../../token/jwt.ts';
import { type Epoch, epochFromSeconds, minutes, seconds } from '../../token/time.ts';
import type { World } from '../../world/world.ts';
import type { Exchanged } from './exchange-code.ts';
import type { Identity } from './pin-table.ts';

/** What an answer has to fit. */
export interface IdentityTerms {
  readonly clientId: string;
  readonly nonce: string | undefined;
  /** Exact, where it is known: from `<SVC>_ISSUER`, or from `iss` of the redirect. */
  readonly issuer: string | undefined;
  readonly tokenUrl: string;
  /** `<SVC>_USER_URL`. */
  readonly userUrl: string | undefined;
}

export type WhoLoggedIn =
  | ({ readonly kind: 'known' } & Identity)
  /** Neither token nor user info says. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly why: string };

type Claims = Readonly<Record<string, unknown>>;

/**
 * Who logged in: by the ID token, else by the access token if it is a JWT, else by the issuer's user info. All of them come from the
 * issuer itself, over its TLS, in answer to our own request, so that signatures are not looked at (OpenID Connect Core 3.1.3.7, step 6).
 */
export async function whoLoggedIn(world: World, gained: Exchanged, terms: IdentityTerms): Promise<WhoLoggedIn> {
  if (gained.idToken !== undefined) {
    const read = idTokenClaims(gained.idToken, terms, world.clock.now());
    return read.kind === 'refused' ? read : { kind: 'known', issuer: read.issuer, subject: read.subject };
  }
  const decoded = gained.accessToken === undefined ? undefined : decodeJwt(gained.accessToken.reveal());
  if (decoded?.kind === 'jwt') {
    const { iss, sub } = decoded.claims;
    const other = isName(iss) ? wrongIssuer(iss, terms) : undefined;
    if (other !== undefined) return other;
    if (isName(iss) && isName(sub)) return { kind: 'known', issuer: iss, subject: sub };
  }
  return await byUserInfo(world, gained, terms);
}

export type IdTokenReading =
  | { readonly kind: 'claims'; readonly issuer: string; readonly subject: string; readonly claims: Claims }
  | { readonly kind: 'refused'; readonly why: string };

/** The claims of an ID token that fits, or why it does not (OpenID Connect Core 3.1.3.7). */
export function idTokenClaims(
  token: string,
  { clientId, nonce, issuer }: Pick<IdentityTerms, 'clientId' | 'nonce' | 'issuer'>,
  now: Epoch,
): IdTokenReading {
  const decoded = decodeJwt(token);
  if (decoded.kind !== 'jwt') return refused('its ID token cannot be read');
  const { claims } = decoded;
  const { iss, sub, aud, azp, exp } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!isName(iss) || !isName(sub)) return refused('its ID token does not say who logged in');
  const other = wrongIssuer(iss, { issuer });
  if (other !== undefined) return other;
  if (!audiences.includes(clientId) || (azp !== undefined && azp !== clientId)) {
    return refused('its ID token is for another client');
  }
  if (typeof exp !== 'number' || epochFromSeconds(exp) + minutes(1) < now) return refused('its ID token is too old');
  if (claims['nonce'] !== nonce) return refused('its ID token belongs to another login');
  return { kind: 'claims', issuer: iss, subject: sub, claims };
}

async function byUserInfo(world: World, { accessToken }: Exchanged, terms: IdentityTerms): Promise<WhoLoggedIn> {
  const { userUrl } = terms;
  if (userUrl === undefined || accessToken === undefined || !safeEndpoint(userUrl)) return { kind: 'unknown' };
  const answer = await world.http.send({
    method: 'GET',
    url: new URL(userUrl),
    headers: { authorization: `Bearer ${accessToken.reveal()}`, accept: 'application/json' },
    timeout: seconds(10),
    maxBytes: 256 * 1024,
    connection: 'pooled',
  });
  const info = answer.kind === 'answer' && answer.status === 200 ? parseObject(answer.body) : null;
  if (info === null) return { kind: 'unknown' };
  // What does not change with the name of a person: OpenID Connect, Dropbox, Box and OneDrive.
  const subject = [info['sub'], info['account_id'], info['id']].map((one) =>
    typeof one === 'number' ? `${one}` : one,
  );
  const found = subject.find(isName);
  if (found === undefined) return { kind: 'unknown' };
  return { kind: 'known', issuer: terms.issuer ?? new URL(terms.tokenUrl).origin, subject: found };
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 1024;

const refused = (why: string) => ({ kind: 'refused', why }) as const;

const wrongIssuer = (found: string, { issuer }: Pick<IdentityTerms, 'issuer'>) =>
  issuer === undefined || issuer === found
    ? undefined
    : refused(`it calls itself ${cleanWords(found)} and should be ${issuer}`);
