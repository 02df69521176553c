import { type AudienceAnswer, audienceAnswer, audiencesOf, isForEveryone } from '../token/audience.ts';
import { type ParsedScope, parseScopes } from '../token/capability.ts';
import { readGroups } from '../token/groups.ts';
import { type ClaimProfile, readProfile } from '../token/profile.ts';
import { type Epoch, epochFromSeconds } from '../token/time.ts';
import type { ClaimCase } from './claim-case.ts';
import { remembered } from './memo.ts';
import { checkTimes, isTime } from './time-check.ts';
import type { TrustedIssuer } from './trust.ts';
import { wrongType } from './type-check.ts';
import { type Refusal, refusal, shown, type VerifiedToken } from './verification.ts';

type Claims = Readonly<Record<string, unknown>>;

export type ClaimsAnswer = { readonly kind: 'good'; readonly token: VerifiedToken } | Refusal;

/** Judges everything but the signature: kind of token, profile, times, audience, scopes (VER-03, VER-05, VER-08). The issuer is known to be trusted. */
export function checkClaims(header: Claims, claims: Claims, trust: TrustedIssuer, now: Epoch): ClaimsAnswer {
  const reading = readProfile(header, claims);
  if (reading.kind === 'refused') return refusal('profile', `the profile of the token is not known: ${reading.why}`);
  const { profile } = reading;
  const which: ClaimCase = { header, claims, trust, now, profile };
  const wrong = wrongType(which) ?? wrongProfile(which) ?? wrongKinds(which) ?? checkTimes(which) ?? wrongScope(which);
  if (wrong !== undefined) return wrong;
  const audience = audienceFor(which);
  if (audience.kind === 'refused') return audience;
  const found = readGroups(profile === 'wlcg' ? claims : {});
  if (found.kind === 'refused') return refusal('claim-type', `the groups of the token are unreadable: ${found.why}`);
  return { kind: 'good', token: tokenOf(which, audience.ours, found.groups) };
}

function tokenOf(which: ClaimCase, audience: string | undefined, groups: readonly string[]): VerifiedToken {
  const { header, claims, trust, profile } = which;
  const { kid } = header;
  return {
    header,
    claims,
    profile,
    issuer: trust.issuer,
    subject: textOf(claims['sub']),
    audiences: audiencesOf(claims) ?? [],
    audience,
    scopes: scopeOf(claims)?.words ?? [],
    groups,
    jti: textOf(claims['jti']),
    kid: textOf(kid),
    issuedAt: timeOf(claims['iat']),
    expiresAt: epochFromSeconds(claims['exp'] as number),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const timeOf = (value: unknown): Epoch | undefined => (isTime(value) ? epochFromSeconds(value) : undefined);

/** Without these no service can say who brings the token, or since when it is good. `exp` is demanded of every token. */
const demanded: Readonly<Record<ClaimProfile, readonly string[]>> = {
  wlcg: ['sub', 'iat', 'aud'],
  'at+jwt': ['sub', 'iat', 'aud'],
  scitokens2: ['aud'],
  scitokens1: [],
};

/** SciTokens 1.0 refuses what it does not know; libscitokens does so when it authorizes. */
const knownToSciTokens1: ReadonlySet<string> = new Set('iss sub exp iat nbf jti aud scope ver opt'.split(' '));

function wrongProfile({ claims, profile, trust }: ClaimCase): Refusal | undefined {
  if (!trust.profiles.includes(profile)) {
    return refusal(
      'profile',
      `the token is of the profile ${profile}, and of this issuer only ${trust.profiles.join(', ')} are taken`,
    );
  }
  const missing = demanded[profile].find((name) => claims[name] === undefined);
  if (missing !== undefined) {
    return refusal('claim-missing', `the token has no ${missing}, which its profile (${profile}) demands`, issuersTurn);
  }
  if (profile !== 'scitokens1') return undefined;
  const unknown = Object.keys(claims).find((name) => !knownToSciTokens1.has(name));
  if (unknown === undefined) return undefined;
  const why = `the token is judged as SciTokens 1.0, which does not allow the claim ${shown(unknown)}`;
  return refusal('profile', why, 'the issuer has to mark its tokens: wlcg.ver "1.0", or ver "scitoken:2.0"');
}

const issuersTurn = 'the issuer has to put it into its tokens';

const texts = ['sub', 'jti', 'scope'];

function wrongKinds({ claims }: ClaimCase): Refusal | undefined {
  for (const name of texts) {
    const value = claims[name];
    if (value === undefined || (typeof value === 'string' && (value !== '' || name !== 'sub'))) continue;
    return refusal(
      'claim-type',
      `the ${name} of the token is ${value === '' ? 'empty' : 'not text'}`,
      issuersTurnToMend,
    );
  }
  if (claims['aud'] === undefined || audiencesOf(claims) !== undefined) return undefined;
  return refusal('claim-type', 'the aud of the token is neither text nor a list of texts', issuersTurnToMend);
}

const issuersTurnToMend = 'the issuer has to make its tokens otherwise';

interface ScopeClaim {
  readonly words: readonly string[];
  readonly refused: readonly Extract<ParsedScope, { kind: 'refused' }>[];
}

const readScope = remembered((claim: string): ScopeClaim => {
  const scopes = parseScopes(claim);
  return {
    words: Object.freeze(scopes.map(({ text }) => text)),
    refused: scopes.filter((scope) => scope.kind === 'refused'),
  };
});

const scopeOf = ({ scope }: Claims): ScopeClaim | undefined =>
  typeof scope === 'string' ? readScope(scope) : undefined;

/**
 * A scope that means to be one of a profile and is none spoils the whole token (WLCG profile 1.3: a storage scope without a path).
 * Under RFC 9068 alone words such as `read` belong to the issuer.
 */
function wrongScope({ claims, profile }: ClaimCase): Refusal | undefined {
  const { refused = [] } = scopeOf(claims) ?? {};
  const wrong = refused.find(({ text }) => profile !== 'at+jwt' || text.startsWith('storage.'));
  if (wrong === undefined) return undefined;
  const why = `the scope ${shown(wrong.text)} spoils the whole token: ${wrong.why}`;
  return refusal('scope', why, 'ask for a token with other scopes; the issuer should not have put this one into it');
}

type AudienceFound = { readonly kind: 'found'; readonly ours: string | undefined } | Refusal;

function audienceFor({ claims, trust, profile }: ClaimCase): AudienceFound {
  const { audiences, everyone } = trust;
  if (audiences.length === 0) return { kind: 'found', ours: undefined };
  const answer = audienceAnswer(claims, { accepted: audiences, everyone, profile });
  if (answer.kind === 'ours') return { kind: 'found', ours: answer.audience };
  return answer.kind === 'everyone' ? { kind: 'found', ours: undefined } : otherAudience(answer, trust);
}

function otherAudience(
  answer: Exclude<AudienceAnswer, { kind: 'ours' | 'everyone' }>,
  { audiences, everyone }: TrustedIssuer,
): Refusal {
  const ours = list(audiences);
  const ask = `ask for a token with the audience ${shown(audiences[0] ?? '')}`;
  if (answer.kind === 'missing') return refusal('audience', `the token names no audience; ${ours} is demanded`, ask);
  const why = `the token is for ${list(answer.found)}, not for ${ours}`;
  if (answer.nearest !== undefined) {
    const hint = `audiences are compared letter by letter: it has to be ${shown(answer.nearest)}, or the service has to take the other spelling too`;
    return refusal('audience', why, hint);
  }
  if (!answer.found.some(isForEveryone)) return refusal('audience', why, ask);
  const wildcard = everyone
    ? 'a token for every service names it in the way of its own profile: WLCG a URL, SciTokens 2.0 ANY'
    : 'tokens for every service are not taken here';
  return refusal('audience', why, `${wildcard}; ${ask}`);
}

const list = (texts: readonly string[]): string => texts.slice(0, 5).map(shown).join(', ');
