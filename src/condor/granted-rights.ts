import { cleanWords } from '../acquire/issuer-words.ts';
import type { AudienceWish, ScopeWish } from '../config/config.ts';
import { parseScope } from '../token/capability.ts';
import type { Audience, Scope } from '../token/names.ts';
import { narrow } from '../token/narrowing.ts';
import { askedRights } from './asked-rights.ts';
import type { CredmonSettings } from './settings.ts';
import type { FoundTop, OwnPart, Unfit } from './understanding.ts';
import { unfit } from './understanding.ts';

export interface GrantedRights {
  readonly kind: 'granted';
  readonly scope: ScopeWish;
  readonly audience: AudienceWish;
}

/**
 * What a user gets where the access point itself decides: all that the templates give, or for a credential that asks for something by name,
 * that much of it and no more.
 */
export function grantedRights(
  { credential, top }: FoundTop,
  { authz }: OwnPart,
  audiences: readonly string[],
  settings: CredmonSettings,
): GrantedRights | Unfit {
  if (authz === undefined || authz.kind === 'refused') {
    const why = authz === undefined ? 'nothing says what the user may do' : authz.fault.message;
    const hint = authz?.fault.hint;
    return unfit(settings, credential, `gives no rights: ${why}`, {
      code: authz?.fault.code ?? 'bug',
      ...(hint === undefined ? {} : { hint }),
    });
  }
  // What else stands there counts for nothing, as with the shipped credmon: the file is a sign that the user wants a token. But somebody who
  // wanted less, and cannot be understood, does not get all.
  if (top.kind === 'unreadable' && credential.handle !== undefined) return unfit(settings, credential, top.why);
  const asked = askedRights(top.kind === 'plain' || top.kind === 'unreadable' ? {} : top);
  if (asked.kind === 'unfit') return unfit(settings, credential, asked.why);
  const wanted = asked.scope.kind === 'scopes' ? asked.scope.scopes : undefined;
  const wider = wanted === undefined ? [] : widerOf(authz.scopes, wanted);
  if (wider.length > 0) {
    return unfit(settings, credential, `asks for ${listed(wider)}, which ${credential.user} may not have here`, {
      hint: `the templates give ${authz.scopes.length === 0 ? 'nothing' : listed(authz.scopes)}; ask for that or less`,
    });
  }
  const others = asked.audience.audiences.filter((one) => !audiences.includes(one));
  if (others.length > 0) {
    return unfit(settings, credential, `asks for a token for ${listed(others)}, which tokens from here are not for`, {
      hint: `they are for ${listed(audiences)}`,
    });
  }
  const scopes = wanted ?? (authz.scopes as readonly Scope[]);
  return {
    kind: 'granted',
    scope: scopes.length === 0 ? { kind: 'absent' } : { kind: 'scopes', scopes },
    audience: asked.audience.audiences.length > 0 ? asked.audience : { audiences: audiences as readonly Audience[] },
  };
}

function widerOf(held: readonly string[], wanted: readonly string[]): readonly string[] {
  const answer = narrow(held.map(parseScope), wanted.map(parseScope));
  return answer.kind === 'wider' ? answer.scopes.map(({ text }) => text) : [];
}

const mostListed = 5;
function listed(words: readonly string[]): string {
  const rest = words.length - mostListed;
  const shown = cleanWords(words.slice(0, mostListed).join(', '));
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
