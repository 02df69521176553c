import {
  coversPath,
  isAbove,
  type PathTarget,
  printPath,
  readRequestPath,
  type ScopePath,
} from '../token/scope-path.ts';
import type { Action } from './access.ts';

/** What a group may do where tokens without capabilities are judged by their groups; `path` is one of the issuer, "/" if not given. */
export interface GroupRule {
  readonly group: string;
  readonly actions: readonly Action[];
  readonly path?: string;
}

/** The part of a service that an issuer has a say in. Paths are absolute and plain, not percent-encoded. */
export interface Area {
  /** Where the issuer's "/" lies: paths in tokens are relative to each of them. */
  readonly basePaths: readonly string[];
  /** Paths of the issuer outside of which its tokens give nothing; none is no restriction. */
  readonly restrictedPaths?: readonly string[];
  readonly groupRules?: readonly GroupRule[];
}

/** A service of which the issuer has all. */
export const everywhere: Area = { basePaths: ['/'] };

/** A requested path as the issuer would call it, below one of the base paths. */
export interface Place {
  readonly basePath: string;
  readonly path: ScopePath;
}

/** What a request's path is called by the issuer; none if it lies below no base path. */
export function placesOf(wanted: ScopePath, { basePaths }: Area): readonly Place[] {
  return basePaths.flatMap((basePath) => {
    const base = readRequestPath(basePath);
    if (base.kind === 'refused' || !coversPath(base.path, wanted, 'directory')) return [];
    return [{ basePath, path: { ...wanted, segments: wanted.segments.slice(base.path.segments.length) } }];
  });
}

/** What is left of a scope's path inside the restricted ones: the deeper of each two of which one lies below the other. */
export function restricted(scope: ScopePath, { restrictedPaths = [] }: Area): readonly ScopePath[] {
  if (restrictedPaths.length === 0) return [scope];
  return restrictedPaths.flatMap((text) => {
    const limit = readRequestPath(text);
    if (limit.kind === 'refused') return [];
    if (coversPath(limit.path, scope, 'directory')) return [scope];
    return coversPath(scope, limit.path, 'directory') ? [limit.path] : [];
  });
}

/**
 * Does what holds at `held` reach `wanted`? Who may create there may also make the directories on the way to it that are
 * missing, but no files in their place (WLCG profile 1.3, storage.create).
 */
export function reaches(held: ScopePath, wanted: ScopePath, action: Action, target: PathTarget): boolean {
  if (coversPath(held, wanted, target)) return true;
  const directory = target === 'directory' || (target === 'unknown' && wanted.directoryOnly);
  return action === 'create' && directory && isAbove(wanted, held);
}

/** `/data/x` as people write it, with what the issuer calls it if that is something else. */
export function inWords(wanted: ScopePath, { basePath, path }: Place): string {
  const [whole, below] = [printPath(wanted), printPath(path)];
  return whole === below ? whole : `${whole}, which is ${below} below base_path ${basePath}`;
}

/** Without empty segments, `.` and `..`, as the services take plain paths together: by the text alone, whatever links there are. */
export function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
