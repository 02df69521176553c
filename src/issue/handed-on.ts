import { type ParsedScope, parseScope } from '../token/capability.ts';
import { selectGroups } from '../token/groups.ts';
import { narrow } from '../token/narrowing.ts';
import { type Refusal, refusal } from './token-grant.ts';

/** What somebody holds, and may hand on or use again: as much of it, or less. */
export interface Rights {
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
}

/**
 * What comes of asking the bearer of these rights for these words of `scope`: no more than is held, and all of it where nothing was asked
 * for. Groups are asked for in the same parameter, as `wlcg.groups:/vo`. `holder` is for the sentence of a refusal.
 */
export function handOn(held: Rights, asked: readonly string[] | undefined, holder: string): Rights | Refusal {
  // It asks for a refresh token, and stands for nothing that could be done with a token.
  const words = asked?.filter((word) => word !== 'offline_access') ?? [];
  if (words.length === 0) return held;
  const wanted = words.map(parseScope);
  const capabilities = wanted.filter((scope) => !isGroup(scope));
  const narrowed = narrow(held.scopes.map(parseScope), capabilities);
  if (narrowed.kind === 'wider') {
    const wider = narrowed.scopes.map(({ text }) => text).join(' ');
    return refusal('invalid_scope', `${holder} does not hold ${wider}`);
  }
  const groups = wanted.filter(isGroup);
  // The defaults are only for who says `wlcg.groups`: whoever names groups wants no others.
  const plain = groups.some((scope) => scope.kind === 'groups' && scope.group === undefined);
  const selected = selectGroups(groups, held.groups, plain ? held.groups : []);
  if (selected.kind === 'denied') {
    return refusal('access_denied', `${holder} is not of ${selected.groups.join(', ')}`);
  }
  return { scopes: capabilities.map(({ text }) => text), groups: selected.groups };
}

const isGroup = ({ kind }: ParsedScope): boolean => kind === 'groups';
