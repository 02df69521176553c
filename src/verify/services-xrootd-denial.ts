import type { Action } from './access.ts';
import { type Refused, refusedFor } from './explanation.ts';
import type { Acls } from './quirks-libscitokens.ts';
import { isWithin, type Rule, type StorageDeed } from './quirks-xrootd.ts';
import type { ScitokensIssuer } from './scitokens-cfg.ts';
import type { XrootdHabits } from './services.ts';

/** What each deed is by the rules of the profiles. They do not speak of listing; it is reading here, as it is for XRootD. */
export const actionOf: Readonly<Record<StorageDeed, Action>> = {
  read: 'read',
  list: 'read',
  stat: 'stat',
  create: 'create',
  mkdir: 'create',
  modify: 'modify',
  delete: 'modify',
  rename: 'create',
  stage: 'stage',
  poll: 'poll',
};

/** A request that no rule allows, with all that was looked at. */
export interface Missed {
  readonly acls: Acls;
  readonly issuer: ScitokensIssuer;
  readonly rules: readonly Rule[];
  readonly deed: StorageDeed;
  readonly wanted: string;
  readonly habits: XrootdHabits;
}

/** Deleting was allowed, and looking at the file before was not. */
export const missedLook = (scope: string, wanted: string): Refused =>
  refusedFor(
    scope,
    `${scope} would do, but XRootD before 5.6.9 looks at a file before deleting it, and modifying does not include looking`,
    { fix: `ask for storage.read:${wanted} as well, or have the site upgrade to 5.6.9 or later`, turn: 'user' },
  );

/** Why no rule fits, by the one that comes nearest. */
export function missedRight(missed: Missed): Refused {
  return siteDenial(missed) ?? pathDenial(missed) ?? restrictedDenial(missed) ?? scopeDenial(missed);
}

function siteDenial({ habits, issuer, wanted }: Missed): Refused | undefined {
  if (habits.strategies && !issuer.strategies.includes('capability')) {
    const why = `[Issuer ${issuer.name}] does not look at scopes: capability is not in authorization_strategy`;
    return refusedFor('authorization_strategy', why, { fix: 'add capability to authorization_strategy', turn: 'site' });
  }
  if (issuer.basePaths.some((base) => isWithin(wanted, base))) return undefined;
  const why = `${wanted} lies outside of what the issuer has here: base_path is ${issuer.basePaths.join(', ')}`;
  return refusedFor('base_path', why, { fix: 'ask for a path below base_path, or extend it', turn: 'site' });
}

function pathDenial(missed: Missed): Refused | undefined {
  const { deed, habits, rules, wanted } = missed;
  const able = rules.filter(({ deeds }) => deeds.includes(deed));
  if (able.length === 0) return undefined;
  const reach = able.map(({ scope, path }) => `${scope} reaches ${path}`).join(', ');
  const compared = habits.paths === 'letters' ? 'what begins with it' : 'what is below it';
  return refusedFor('scope', `${wanted} is not reached to ${deed} it: ${reach} and ${compared}`, askFor(missed));
}

function restrictedDenial({ acls, habits, issuer, rules }: Missed): Refused | undefined {
  if (issuer.restrictedPaths.length === 0 || rules.length > 0 || acls.acls.length === 0) return undefined;
  const scopes = acls.acls.map(({ scope }) => scope).join(' ');
  const above = habits.restrictedPaths === 'within' ? ', and before 5.6.9 a scope above it gives nothing at all' : '';
  const why = `nothing of ${scopes} lies inside restricted_path (${issuer.restrictedPaths.join(', ')})${above}`;
  return refusedFor('restricted_path', why, {
    fix: `ask for a scope inside ${issuer.restrictedPaths[0]}`,
    turn: 'user',
  });
}

function scopeDenial(missed: Missed): Refused {
  const { acls, deed } = missed;
  const unread = acls.acls.find(({ authz }) => authz.startsWith('storage.'));
  if (unread !== undefined) {
    const why =
      acls.profile === 'wlcg'
        ? 'is not understood by this release'
        : 'is not understood: the words of WLCG are translated in tokens with wlcg.ver only';
    return refusedFor(unread.scope, `${unread.scope} ${why}`, askFor(missed));
  }
  const scopes = acls.acls.map(({ scope }) => scope).join(' ');
  const there = scopes === '' ? 'there is none' : `there is ${scopes}`;
  return refusedFor('no scope', `no scope lets its bearer ${deed} anything here: ${there}`, askFor(missed));
}

/** In the words of the token's profile, by the issuer's own paths. */
function askFor({ acls, deed, issuer, wanted }: Missed): { readonly fix: string; readonly turn: 'user' } {
  const base = issuer.basePaths.find((one) => isWithin(wanted, one)) ?? '/';
  const path = base === '/' ? wanted : wanted.slice(base.length) || '/';
  const action = deed === 'stat' ? 'read' : actionOf[deed];
  const wlcg = acls.profile === 'wlcg' || action === 'stage' || action === 'poll';
  const word = wlcg ? `storage.${action}` : action === 'read' ? 'read' : 'write';
  return { fix: `ask for ${word}:${path}`, turn: 'user' };
}
