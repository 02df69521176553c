import { coversPath, readScopePath } from './scope-path.ts';

/**
 * Does holding `held` give what `wished` asks for? Equal scopes do; a scope with a path does for every path below it. Whatever the
 * scope is called: issuers have more of them than the profiles. Paths that could mean two things are never compared.
 */
export function covers(held: string, wished: string): boolean {
  if (held === wished) return true;
  const [heldName, heldPath] = split(held);
  const [wishedName, wishedPath] = split(wished);
  if (heldName !== wishedName || heldPath === undefined || wishedPath === undefined) return false;
  const above = readScopePath(heldPath);
  const below = readScopePath(wishedPath);
  return above.kind === 'path' && below.kind === 'path' && coversPath(above.path, below.path, 'unknown');
}

function split(scope: string): readonly [string, string | undefined] {
  const colon = scope.indexOf(':/');
  return colon < 0 ? [scope, undefined] : [scope.slice(0, colon), scope.slice(colon + 1)];
}

/** Scopes that ask for something to be chosen by the issuer, or that never show in an access token. */
const openEnded = /^(wlcg\.capabilityset:|wlcg\.groups|openid$|profile$|email$|offline_access$|wlcg$)/;

/** The wished scopes that are not covered by any held one. Requests that leave the choice to the issuer are never missing. */
export function missingScopes(wished: readonly string[], held: readonly string[]): readonly string[] {
  if (wished.some((scope) => scope.startsWith('wlcg.capabilityset:') || scope.startsWith('wlcg.groups'))) return [];
  return wished.filter((scope) => !openEnded.test(scope) && !held.some((have) => covers(have, scope)));
}
