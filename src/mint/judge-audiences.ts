import { isForEveryone } from '../token/audience.ts';
import { wildcardOf } from './claims.ts';
import { fitsAudience } from './pattern.ts';
import type { IssueProfile, IssuerPolicy, MintRequest } from './policy.ts';

export type AudiencesAnswer =
  | { readonly kind: 'allowed'; readonly audiences: readonly string[]; readonly remarks: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string; readonly allowed?: string; readonly hint?: string };

const refused = (why: string, hint?: string) => ({
  kind: 'refused' as const,
  why,
  ...(hint === undefined ? {} : { hint }),
});

/** For whom the token may be: at least for somebody, and for everybody only if that was said, and is allowed. */
export function judgeAudiences(
  policy: Pick<IssuerPolicy, 'audiences' | 'everyone' | 'audiencesToTheLetter'>,
  request: Pick<MintRequest, 'audiences' | 'everyone'>,
  profile: IssueProfile,
): AudiencesAnswer {
  if (policy.audiencesToTheLetter) return judgeToTheLetter(policy, request);
  if (request.everyone) return judgeEveryone(policy, request, profile);
  const { audiences } = request;
  if (audiences.length === 0)
    return refused(
      'no audience was named, and no token is signed without one',
      'name the service that the token is for',
    );
  for (const audience of audiences) {
    if (!isAudience(audience)) return notAnAudience(audience);
    if (isForEveryone(audience)) {
      return refused(
        `the audience ${audience} means every service, and that was not asked for`,
        'name the services, or ask for a token for everyone by its own option',
      );
    }
    if (!policy.audiences.some((pattern) => fitsAudience(pattern, audience))) return notAllowed(policy, audience);
  }
  const unique = [...new Set(audiences)];
  return { kind: 'allowed', audiences: unique, remarks: unique.flatMap(spelling) };
}

const isAudience = (text: string): boolean => /^[\x21-\x7e]{1,1024}$/.test(text);

const notAnAudience = (text: string) =>
  refused(
    `${JSON.stringify(text)} is no audience: blanks and letters outside ASCII cannot stand in one`,
    'name the service as it calls itself, such as https://storage.example.org',
  );

const notAllowed = ({ audiences }: Pick<IssuerPolicy, 'audiences'>, audience: string) => ({
  ...refused(
    `the policy does not allow the audience ${audience}`,
    'whoever runs the issuer can add it to "audiences" below "policy:" in issuer.yaml',
  ),
  allowed: audiences.length === 0 ? 'it allows no audience at all' : `it allows ${audiences.join(', ')}`,
});

/** What is listed was written by hand for every token of this issuer; the wish to have it for everyone is made there. */
function judgeToTheLetter(
  policy: Pick<IssuerPolicy, 'audiences'>,
  { audiences }: Pick<MintRequest, 'audiences'>,
): AudiencesAnswer {
  for (const audience of audiences) {
    if (!isAudience(audience)) return notAnAudience(audience);
    if (!policy.audiences.includes(audience)) return notAllowed(policy, audience);
  }
  const unique = [...new Set(audiences)];
  return { kind: 'allowed', audiences: unique, remarks: unique.flatMap(spelling) };
}

function judgeEveryone(
  policy: Pick<IssuerPolicy, 'everyone'>,
  { audiences }: Pick<MintRequest, 'audiences'>,
  profile: IssueProfile,
): AudiencesAnswer {
  const wildcard = wildcardOf[profile];
  if (wildcard === undefined)
    return refused(`the profile ${profile} has no audience that means every service`, 'name the services');
  if (audiences.some((audience) => audience !== wildcard)) {
    return refused('a token for everyone was asked for, and audiences were named besides', 'ask for one or the other');
  }
  if (!policy.everyone) {
    return refused(
      'the policy does not allow tokens that every service accepts',
      'name the services; or whoever runs the issuer can write "everyone: true" below "policy:" in issuer.yaml',
    );
  }
  return { kind: 'allowed', audiences: [wildcard], remarks: [] };
}

/** Audiences are compared as texts (WLCG profile 1.3), so that what looks the same is another one. */
function spelling(audience: string): readonly string[] {
  if (/^https?:\/\/.*\/$/i.test(audience)) {
    return [`the audience ${audience} ends with a slash; services compare it exactly, and most have none there`];
  }
  if (/^https:\/\/[^/]*:443(\/|$)|^http:\/\/[^/]*:80(\/|$)/i.test(audience)) {
    return [`the audience ${audience} names the default port; services compare it exactly, and most leave it out`];
  }
  return [];
}
