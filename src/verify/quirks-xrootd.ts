import { canonicalPath } from './areas.ts';
import type { Acl } from './quirks-libscitokens.ts';
import type { ScitokensIssuer } from './scitokens-cfg.ts';
import type { XrootdHabits } from './services.ts';

/** What is done at a storage, one word for each thing that XRootD tells apart. */
export const storageDeeds = [
  'read',
  'list',
  'stat',
  'create',
  'mkdir',
  'modify',
  'delete',
  'rename',
  'stage',
  'poll',
] as const;
export type StorageDeed = (typeof storageDeeds)[number];

/** One of XRootD's rules: these deeds at this path of the server and below. */
export interface Rule {
  readonly deeds: readonly StorageDeed[];
  readonly path: string;
  readonly scope: string;
}

/** The rules that XRootD makes of a token's rights: below each base path, and inside the restricted ones. */
export function rulesOf(acls: readonly Acl[], issuer: ScitokensIssuer, habits: XrootdHabits): readonly Rule[] {
  if (habits.strategies && !issuer.strategies.includes('capability')) return [];
  return acls.flatMap(({ authz, path, scope }) => {
    const deeds = deedsOf(authz, habits);
    if (deeds.length === 0) return [];
    const within = limited(path, issuer.restrictedPaths, habits);
    return issuer.basePaths.flatMap((base) =>
      within.map((below) => ({ deeds, path: canonicalPath(`${base}/${below}`), scope })),
    );
  });
}

function deedsOf(authz: string, { statOfWriters, staging }: XrootdHabits): readonly StorageDeed[] {
  const look: readonly StorageDeed[] = statOfWriters ? ['stat'] : [];
  switch (authz) {
    case 'read':
      return ['read', 'list', 'stat'];
    case 'create':
      return ['create', 'mkdir', 'rename', ...look];
    case 'modify':
    case 'write':
      return ['create', 'mkdir', 'rename', 'modify', 'delete', ...look];
    case 'storage.stage':
      return staging ? ['stage', 'poll'] : [];
    case 'storage.poll':
      return staging ? ['poll'] : [];
    default:
      return [];
  }
}

function limited(path: string, limits: readonly string[], habits: XrootdHabits): readonly string[] {
  if (limits.length === 0) return [path];
  if (habits.restrictedPaths === 'within') return limits.some((limit) => path.startsWith(limit)) ? [path] : [];
  return limits.flatMap((limit) => {
    if (isWithin(path, limit)) return [path];
    return isWithin(limit, path) ? [limit] : [];
  });
}

export const isWithin = (path: string, above: string): boolean =>
  above === '/' || path === above || path.startsWith(`${above}/`);

/** What has to be allowed for a deed: before 5.6.9 DELETE over HTTP asks for the file's size first, as `stat` does. */
export function deedsFor(deed: StorageDeed, { statOfWriters }: XrootdHabits): readonly StorageDeed[] {
  return deed === 'delete' && !statOfWriters ? ['delete', 'stat'] : [deed];
}

/** Does this rule allow the deed there? Since 5.6.9 also looking at, and making, directories on the way to its path. */
export function allows(rule: Rule, deed: StorageDeed, path: string, habits: XrootdHabits): boolean {
  if (!rule.deeds.includes(deed)) return false;
  if (habits.paths === 'letters') return path.startsWith(rule.path);
  const onTheWay = habits.statOfWriters && (deed === 'stat' || deed === 'mkdir') && isWithin(rule.path, path);
  return isWithin(path, rule.path) || onTheWay;
}
