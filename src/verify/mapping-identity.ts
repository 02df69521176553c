import { audiencesOf } from '../token/audience.ts';
import { type ParsedScope, parseScopes } from '../token/capability.ts';
import { readGroups } from '../token/groups.ts';

/** What a token says of whom it is for, as far as a mapping may look at it. Identity is issuer and subject (VER-10). */
export interface TokenIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly groups: readonly string[];
  readonly scopes: readonly ParsedScope[];
  readonly audiences: readonly string[];
}

export type IdentityReading =
  | { readonly kind: 'identity'; readonly identity: TokenIdentity; readonly remarks: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string };

/** WLCG profile 1.3, "sub": at most 255 ASCII characters. */
const longestSubject = 255;
const longestIssuer = 1024;

/** Takes an identity out of claims that somebody else has verified. Groups that are not as they should be count as none. */
export function identityOf(claims: Readonly<Record<string, unknown>>): IdentityReading {
  const { iss, sub, scope } = claims;
  if (typeof iss !== 'string' || iss === '') return { kind: 'refused', why: 'the token names no issuer (iss)' };
  if (typeof sub !== 'string' || sub === '') return { kind: 'refused', why: 'the token names no subject (sub)' };
  const odd = unfit('issuer', iss, longestIssuer) ?? unfit('subject', sub, longestSubject);
  if (odd !== undefined) return { kind: 'refused', why: odd };
  const reading = readGroups(claims);
  const remarks =
    reading.kind === 'refused'
      ? [`the groups do not count: ${reading.why}`]
      : reading.leftOut.map((why) => `a group does not count: ${why}`);
  const identity: TokenIdentity = {
    issuer: iss,
    subject: sub,
    groups: reading.kind === 'refused' ? [] : reading.groups,
    scopes: typeof scope === 'string' ? parseScopes(scope) : [],
    audiences: audiencesOf(claims) ?? [],
  };
  return { kind: 'identity', identity, remarks };
}

function unfit(what: string, text: string, longest: number): string | undefined {
  if (text.length > longest) return `the ${what} of the token has more than ${longest} characters`;
  return /\p{Cc}/u.test(text) ? `the ${what} of the token has a control character in it` : undefined;
}
