import type { AudienceStyle, AudienceWish, ScopeWish } from '../config/config.ts';

/** A style that can be sent; `auto` is turned into one of these by {@link chooseAudienceStyle}. */
export type SentAudienceStyle = Exclude<AudienceStyle, 'auto'>;
export type Parameter = readonly [name: string, value: string];

/**
 * The parameters that say for whom a token is. `audience` is one parameter with a list separated by blanks (WLCG, INDIGO
 * IAM); `resource` is repeated (RFC 8707 section 2). The raw value of OSG's ini goes out as one `audience`, as it stands.
 */
export function audienceParameters(wish: AudienceWish, style: SentAudienceStyle): readonly Parameter[] {
  if (wish.audiences.length === 0 && wish.raw === undefined) return [];
  const audience: readonly Parameter[] = [['audience', wish.raw ?? wish.audiences.join(' ')]];
  const resource: readonly Parameter[] = wish.audiences.map((one) => ['resource', one] as const);
  if (style === 'audience') return audience;
  return style === 'resource' ? resource : [...audience, ...resource];
}

/** Scopes of the WLCG profile, which come from issuers that take `audience`. */
const wlcgScope = /^(storage|compute)\.|^wlcg\b|^eduperson_/;
const wlcgAudience = /^https:\/\/wlcg\.cern\.ch\//;

/**
 * What `audience_style: auto` means when nothing has been learnt: `resource` if every audience is an absolute URI, as RFC 8707
 * asks, and nothing looks like WLCG; else `audience`.
 */
export function chooseAudienceStyle(audience: AudienceWish, scope: ScopeWish): 'audience' | 'resource' {
  if (audience.raw !== undefined || !canBeResource(audience)) return 'audience';
  if (audience.audiences.some((one) => wlcgAudience.test(one))) return 'audience';
  const scopes = scope.kind === 'scopes' ? scope.scopes : [];
  return scopes.some((one) => wlcgScope.test(one)) ? 'audience' : 'resource';
}

/** The style to try when one is refused; undefined when there is no other. */
export function otherAudienceStyle(
  audience: AudienceWish,
  style: SentAudienceStyle,
): 'audience' | 'resource' | undefined {
  if (audience.audiences.length === 0 || audience.raw !== undefined) return undefined;
  if (style === 'resource') return 'audience';
  return style === 'audience' && canBeResource(audience) ? 'resource' : undefined;
}

/** RFC 8707 section 2: an absolute URI without a fragment. */
function canBeResource(wish: AudienceWish): boolean {
  return wish.audiences.length > 0 && wish.audiences.every((one) => URL.canParse(one) && !one.includes('#'));
}

/** `scope`, joined by blanks; a single blank as oidc-agent sends it; or no parameter at all. */
export function scopeParameters(wish: ScopeWish): readonly Parameter[] {
  if (wish.kind === 'absent') return [];
  return [['scope', wish.kind === 'blank' ? ' ' : wish.scopes.join(' ')]];
}
