import type { ClaimProfile } from './profile.ts';

type Claims = Readonly<Record<string, unknown>>;

/** The audiences that mean every service, one for each profile that has one. */
export const everyone = { wlcg: 'https://wlcg.cern.ch/jwt/v1/any', scitokens: 'ANY' } as const;

export interface AudienceRule {
  /** The names of the service, each as it may stand in `aud`. */
  readonly accepted: readonly string[];
  /** Are tokens for every service accepted? */
  readonly everyone: boolean;
  readonly profile: ClaimProfile;
}

export type AudienceAnswer =
  | { readonly kind: 'ours'; readonly audience: string }
  | { readonly kind: 'everyone' }
  /** No `aud`, an empty one, or one that is neither text nor a list of texts. */
  | { readonly kind: 'missing' }
  /** `nearest` is an accepted one that the token misses by spelling alone. */
  | { readonly kind: 'other'; readonly found: readonly string[]; readonly nearest?: string };

/** An audience that every service of some profile accepts. */
export function isForEveryone(audience: string): boolean {
  return audience === everyone.wlcg || audience === everyone.scitokens;
}

/** `aud` is one text or a list of texts (RFC 7519 section 4.1.3); undefined for anything else. */
export function audiencesOf(claims: Claims): readonly string[] | undefined {
  const { aud } = claims;
  if (typeof aud === 'string') return [aud];
  return Array.isArray(aud) && aud.every((one) => typeof one === 'string') ? aud : undefined;
}

/** Is a token with these claims for us? Compared as case-sensitive texts, nothing normalised (WLCG profile 1.3, "Audience"). */
export function audienceAnswer(claims: Claims, rule: AudienceRule): AudienceAnswer {
  const found = audiencesOf(claims) ?? [];
  if (found.length === 0) return { kind: 'missing' };
  const audience = found.find((one) => rule.accepted.includes(one));
  if (audience !== undefined) return { kind: 'ours', audience };
  const wildcard = wildcardOf[rule.profile];
  if (rule.everyone && wildcard !== undefined && found.includes(wildcard)) return { kind: 'everyone' };
  const nearest = nearestOf(rule.accepted, found);
  return { kind: 'other', found, ...(nearest === undefined ? {} : { nearest }) };
}

/** A wildcard counts in its own profile only: ANY in a WLCG token is the name of a service that nobody runs. */
const wildcardOf: Readonly<Record<ClaimProfile, string | undefined>> = {
  wlcg: everyone.wlcg,
  scitokens1: undefined,
  scitokens2: everyone.scitokens,
  'at+jwt': undefined,
};

function nearestOf(accepted: readonly string[], found: readonly string[]): string | undefined {
  const spellings = new Set(found.map(roughly));
  return accepted.find((audience) => spellings.has(roughly(audience)));
}

/** Without what people get wrong: case, blanks around it, the scheme, slashes at the end, the default port. For suggestions alone. */
function roughly(audience: string): string {
  const text = audience.trim().toLowerCase();
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//.exec(text)?.[0] ?? '';
  let end = text.length;
  while (end > scheme.length && text[end - 1] === '/') end -= 1;
  const defaultPort = scheme === 'http://' ? /:80(?=\/|$)/ : /:443(?=\/|$)/;
  return text.slice(scheme.length, end).replace(defaultPort, '');
}
