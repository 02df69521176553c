import { isCapability, type ParsedScope, parseScope } from '../token/capability.ts';
import { readRequestPath } from '../token/scope-path.ts';
import { type AccessRequest, type Bearer, type Decision, isCompute } from './access.ts';
import { type Area, inWords, placesOf, reaches, restricted } from './areas.ts';
import { decideCompute } from './authorize-compute.ts';
import { denied, missedStorage } from './denial.ts';
import { grants, type StorageQuestion, type StorageScope } from './storage-question.ts';

export type { AccessRequest, Action, Bearer, Decision } from './access.ts';

/**
 * May the bearer do this, by the rules of the token's own profile? One scope that cannot be read spoils the token as a whole; if
 * there is any capability, the groups are not looked at (WLCG profile 1.3, "Capability based authorization", "Interoperability").
 */
export function decide(token: Bearer, request: AccessRequest, area: Area): Decision {
  const scopes = token.scopes.map(parseScope);
  const broken = scopes.find(({ kind }) => kind === 'refused');
  if (broken?.kind === 'refused') {
    return denied(broken.text, `the scope ${broken.text} spoils the whole token: ${broken.why}`, {
      hint: 'ask for a token without it, or with an absolute path after the colon',
    });
  }
  const { action } = request;
  if (isCompute(action)) return decideCompute(token, scopes, action);
  const reading = readRequestPath(request.path ?? '');
  if (reading.kind === 'refused') return denied('path', `nothing is asked of a place: ${reading.why}`);
  const wanted = reading.path;
  const question = { action, wanted, target: request.target ?? 'unknown', area, places: placesOf(wanted, area) };
  return decideStorage(token, scopes, question);
}

function decideStorage(token: Bearer, scopes: readonly ParsedScope[], question: StorageQuestion): Decision {
  const { action, wanted, target, area, places } = question;
  const held = storageScopes(scopes, token);
  for (const scope of held.filter(({ operation }) => grants[operation].includes(action))) {
    for (const place of places) {
      const reached = restricted(scope.path, area).some((path) => reaches(path, place.path, action, target));
      if (reached) return allowed(scope.text, `${scope.text} lets its bearer ${action} ${inWords(wanted, place)}`);
    }
  }
  const byGroup = scopes.some(isCapability) ? undefined : groupRule(token, question);
  return byGroup ?? missedStorage(token, scopes, held, question);
}

function groupRule(
  { groups }: Bearer,
  { action, area, places, target, wanted }: StorageQuestion,
): Decision | undefined {
  for (const rule of area.groupRules ?? []) {
    const path = readRequestPath(rule.path ?? '/');
    if (path.kind === 'refused' || !groups.includes(rule.group) || !rule.actions.includes(action)) continue;
    const within = restricted(path.path, area);
    const place = places.find((one) => within.some((held) => reaches(held, one.path, action, target)));
    if (place === undefined) continue;
    return allowed(rule.group, `members of ${rule.group} may ${action} ${inWords(wanted, place)}`);
  }
  return undefined;
}

const allowed = (rule: string, why: string): Decision => ({ kind: 'allowed', rule, why });

/** Each profile has words of its own, and the services do not understand the other one's either. */
function storageScopes(scopes: readonly ParsedScope[], { profile }: Bearer): readonly StorageScope[] {
  const own = profile === 'wlcg' ? 'storage' : 'scitokens';
  return scopes.flatMap((scope) => (scope.kind === own && 'path' in scope ? [scope] : []));
}
