import { type ParsedScope, parseScope } from './capability.ts';
import { readGroup } from './group-name.ts';

export { readGroup } from './group-name.ts';

export type GroupSelection =
  | { readonly kind: 'groups'; readonly groups: readonly string[] }
  /** Asked for, and not entitled to: `access_denied` (RFC 6749 section 4.1.2.1). */
  | { readonly kind: 'denied'; readonly groups: readonly string[] };

export type GroupsReading =
  /** `leftOut`: a sentence for each name that is none. */
  | { readonly kind: 'groups'; readonly groups: readonly string[]; readonly leftOut: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * The groups in a token of somebody else, in their order; none where the claim is not there. Issuers that go on writing names in the way of
 * VOMS do so beside good ones: a name that breaks the grammar is nobody's group, and spoils nothing else.
 */
export function readGroups(claims: Readonly<Record<string, unknown>>): GroupsReading {
  const claim = claims['wlcg.groups'];
  if (claim === undefined) return { kind: 'groups', groups: [], leftOut: [] };
  if (typeof claim === 'string')
    return { kind: 'refused', why: `wlcg.groups is the text ${JSON.stringify(claim)}; it has to be a list` };
  if (!Array.isArray(claim)) return { kind: 'refused', why: 'wlcg.groups is not a list' };
  const groups: string[] = [];
  const leftOut: string[] = [];
  for (const one of claim) {
    if (typeof one !== 'string') return { kind: 'refused', why: 'in wlcg.groups, one group is not text' };
    const reading = readGroup(one);
    if (reading.kind === 'group') groups.push(reading.name);
    else leftOut.push(`in wlcg.groups, ${reading.why}`);
  }
  return { kind: 'groups', groups, leftOut };
}

/** The same where all of them have to be groups: for what is handed on in a token of ours, and for warnings. */
export function groupsOf(claims: Readonly<Record<string, unknown>>): readonly string[] | { readonly refused: string } {
  const reading = readGroups(claims);
  if (reading.kind === 'refused') return { refused: reading.why };
  const [refused] = reading.leftOut;
  return refused === undefined ? reading.groups : { refused };
}

/**
 * Which groups a request gets (WLCG profile 1.3, "Scope-based attribute selection"): in the order of the request, each once; plain
 * `wlcg.groups` stands for the default ones in their order, and is added at the end if only named groups are asked for.
 * Nothing asked, nothing given. A default group is given only to whoever is entitled to it.
 */
export function selectGroups(
  requested: readonly ParsedScope[],
  entitled: readonly string[],
  defaults: readonly string[],
): GroupSelection {
  const asked = requested.filter((scope) => scope.kind === 'groups').map(({ group }) => group);
  if (asked.length === 0) return { kind: 'groups', groups: [] };
  const denied = asked.filter((group) => group !== undefined).filter((group) => !entitled.includes(group));
  if (denied.length > 0) return { kind: 'denied', groups: [...new Set(denied)] };
  const ordered = [...asked, undefined].flatMap((group) => group ?? defaults.filter((one) => entitled.includes(one)));
  return { kind: 'groups', groups: [...new Set(ordered)] };
}

/** Plain `wlcg.groups`: the groups that the issuer gives to whoever names none. */
export const asksDefaultGroups = (scopes: readonly string[]): boolean =>
  scopes.map(parseScope).some((scope) => scope.kind === 'groups' && scope.group === undefined);

export interface GroupOrder {
  readonly order: readonly string[];
  /** There where the first group is above another one. */
  readonly warning?: string;
}

/**
 * OSG's advice: sites account by the first group alone, so the most specific one belongs there ("Collaborations and Bearer Tokens",
 * WLCG groups). Groups of the same depth keep their order.
 */
export function mostSpecificFirst(groups: readonly string[]): GroupOrder {
  const first = groups[0];
  const below = first === undefined ? undefined : groups.find((group) => group.startsWith(`${first}/`));
  if (below === undefined) return { order: groups };
  const order = groups.toSorted((one, other) => depth(other) - depth(one));
  return {
    order,
    warning: `the first group is ${first}, by which many sites account; ${below} is more specific and comes later`,
  };
}

const depth = (group: string): number => group.split('/').length;
