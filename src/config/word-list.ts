import type { Audience, Scope } from '../token/names.ts';
import type { AudienceWish, ScopeWish } from './config.ts';

/** The words of a list written as one text, with blanks or commas between. */
export const splitWords = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** A text of blanks only is oidc-agent's blank scope. */
export function scopeOf(given: string | readonly string[] | undefined): ScopeWish {
  if (given === undefined) return { kind: 'absent' };
  const scopes = typeof given === 'string' ? splitWords(given) : given;
  return scopes.length === 0 ? { kind: 'blank' } : { kind: 'scopes', scopes: scopes as readonly Scope[] };
}

export function audienceOf(given: string | readonly string[] | { readonly raw: string } | undefined): AudienceWish {
  if (given === undefined) return { audiences: [] };
  if (typeof given === 'string') return { audiences: splitWords(given) as readonly Audience[] };
  return 'raw' in given ? rawAudienceOf(given.raw) : { audiences: given as readonly Audience[] };
}

/** `raw` is kept only where it says more than the list: OSG sends the text as it was written, as one value. */
export function rawAudienceOf(raw: string): AudienceWish {
  const audiences = splitWords(raw) as readonly Audience[];
  return audiences.join(' ') === raw ? { audiences } : { audiences, raw };
}
