import type { MapfileLine, MapfilePlace } from './ce-mapfile.ts';
import { matchPattern } from './ce-mapfile-pattern.ts';

/** By which a CE refuses whoever is mapped to it (DENY_WRITE in its configuration). */
const bannedDomain = 'banned.htcondor.org';

/** Longer names are nobody's: a subject has at most 255 characters, and an issuer is a URL. */
const longestPrincipal = 2048;

export interface NearMiss extends MapfilePlace {
  readonly why: string;
}

export type MapfileMapping =
  | { readonly kind: 'mapped'; readonly user: string; readonly line: MapfileLine }
  /** HTCondor asks these plugins who it is (`PLUGIN:*` stands for all that are configured). */
  | { readonly kind: 'plugin'; readonly plugins: readonly string[]; readonly line: MapfileLine }
  | { readonly kind: 'banned'; readonly user: string; readonly line: MapfileLine }
  /** The line decides, but what it gives is no name of a user. */
  | { readonly kind: 'unusable'; readonly user: string; readonly line: MapfileLine }
  /** A line before any that fits cannot be judged here, so nothing after it can either. */
  | { readonly kind: 'unknown'; readonly line: MapfileLine; readonly why: string }
  | { readonly kind: 'none'; readonly nearest?: NearMiss };

/** What a mapfile compares: issuer and subject of a token with a comma between. */
export const principalOf = (issuer: string, subject: string): string => `${issuer},${subject}`;

/**
 * Who a principal is by these lines, in their order: the first that fits decides. `method` is compared without case.
 *
 *     mapByMapfile(lines, 'SCITOKENS', 'https://vo.example,alice') // { kind: 'mapped', user: 'vo', line: … }
 */
export function mapByMapfile(lines: readonly MapfileLine[], method: string, principal: string): MapfileMapping {
  const ours = lines.filter((line) => line.method === method.toUpperCase());
  if (principal.length > longestPrincipal || /\p{Cc}/u.test(principal)) return { kind: 'none' };
  for (const line of ours) {
    const groups = groupsOf(line, principal);
    if (groups === undefined) continue;
    return groups === 'unknown' ? unknown(line) : answer(line, filledIn(line.canonical, groups));
  }
  const nearest = nearMiss(ours, principal);
  return { kind: 'none', ...(nearest === undefined ? {} : { nearest }) };
}

function answer(line: MapfileLine, user: string): MapfileMapping {
  if (user.toLowerCase().endsWith(`@${bannedDomain}`)) return { kind: 'banned', user, line };
  if (line.method === 'SCITOKENS' && user.startsWith('PLUGIN:')) {
    return { kind: 'plugin', plugins: user.slice('PLUGIN:'.length).split(','), line };
  }
  return { kind: isUserName(user) ? 'mapped' : 'unusable', user, line };
}

/** An account, or an identity with its domain. */
const isUserName = (user: string): boolean => /^[\p{L}\p{N}_][\p{L}\p{N}_.@+-]*$/u.test(user);

function unknown(line: MapfileLine): MapfileMapping {
  const why = line.principal.kind === 'unknown' ? line.principal.why : 'it takes too long to compare';
  return { kind: 'unknown', line, why };
}

/** The groups if the line fits, undefined if it does not. */
function groupsOf({ principal: field }: MapfileLine, principal: string): readonly string[] | 'unknown' | undefined {
  if (field.kind === 'unknown') return 'unknown';
  if (field.kind === 'exact') return field.text === principal ? [principal] : undefined;
  const found = matchPattern(field.pattern, principal);
  if (found.kind === 'too slow') return 'unknown';
  return found.kind === 'match' ? found.groups : undefined;
}

/** `\0` to `\9`; the number of a group that took no part stays as it is written. */
const filledIn = (canonical: string, groups: readonly string[]): string =>
  canonical.replace(/\\(\d)/g, (whole, digit: string) => groups[Number(digit)] ?? whole);

/** A line that would fit if the principal were spelled as people mistake it: another last slash of the issuer, another case. */
function nearMiss(lines: readonly MapfileLine[], principal: string): NearMiss | undefined {
  const comma = principal.indexOf(',');
  if (comma < 0) return undefined;
  const [issuer, rest] = [principal.slice(0, comma), principal.slice(comma)];
  const other = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
  const slash = issuer.endsWith('/')
    ? 'it is written for the issuer without the slash at its end'
    : 'it is written for the issuer with a slash at its end';
  const variants: readonly (readonly [string, string])[] = [
    [`${other}${rest}`, `${slash}; a token's issuer is compared to the letter`],
    [principal.toLowerCase(), 'it would fit if upper and lower case were the same'],
  ];
  for (const [variant, why] of variants) {
    const line = variant === principal ? undefined : lines.find((one) => Array.isArray(groupsOf(one, variant)));
    if (line !== undefined) return { file: line.file, line: line.line, why };
  }
  return undefined;
}
