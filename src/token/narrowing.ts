import { type ParsedScope, printScope } from './capability.ts';
import { coversPath, type ScopePath } from './scope-path.ts';

export type Narrowing =
  | { readonly kind: 'narrowed'; readonly scopes: readonly ParsedScope[] }
  /** What was wanted and is not covered. */
  | { readonly kind: 'wider'; readonly scopes: readonly ParsedScope[] };

/** One right, in one spelling for all dialects: `name` is the WLCG word where there is one. */
interface Right {
  readonly name: string;
  readonly path?: ScopePath;
}

/**
 * May somebody who holds these scopes hand `wanted` on? Only what is equal, or lies below by whole segments, or is the same in
 * another dialect; `storage.modify` gives `storage.create` too, and nothing gives `storage.read` but itself (WLCG profile 1.3).
 */
export function mayGive(held: readonly ParsedScope[], wanted: ParsedScope): boolean {
  return isWithin(held.flatMap(rightsOf), wanted);
}

/** All of the wanted scopes, each once, or those of them that are wider than what is held. */
export function narrow(held: readonly ParsedScope[], wanted: readonly ParsedScope[]): Narrowing {
  const rights = held.flatMap(rightsOf);
  const wider = wanted.filter((scope) => !isWithin(rights, scope));
  if (wider.length > 0) return { kind: 'wider', scopes: wider };
  return { kind: 'narrowed', scopes: [...new Map(wanted.map((scope) => [printScope(scope), scope])).values()] };
}

function isWithin(rights: readonly Right[], wanted: ParsedScope): boolean {
  if (wanted.kind === 'refused') return false;
  return rightsOf(wanted).every((right) => rights.some((one) => includes(one, right)));
}

/** A scope that stands for several rights is covered when each of them is. */
function rightsOf(scope: ParsedScope): readonly Right[] {
  switch (scope.kind) {
    case 'storage':
      return [{ name: `storage.${scope.operation}`, path: scope.path }];
    case 'scitokens':
      return [{ name: scope.operation === 'read' ? 'storage.read' : 'storage.modify', path: scope.path }];
    case 'condor':
      return condorRights(scope.level).map((name) => ({ name }));
    case 'refused':
      return [];
    default:
      return [{ name: printScope(scope) }];
  }
}

/** libscitokens takes WRITE and the three of them together for the same; each of the other levels stands for itself. */
function condorRights(level: string): readonly string[] {
  if (level === 'READ') return ['compute.read'];
  if (level === 'WRITE') return ['compute.modify', 'compute.create', 'compute.cancel'];
  return [`condor:/${level}`];
}

function includes(held: Right, wanted: Right): boolean {
  const sameName = held.name === wanted.name || (held.name === 'storage.modify' && wanted.name === 'storage.create');
  if (!sameName) return false;
  if (held.path === undefined || wanted.path === undefined) return held.path === wanted.path;
  return coversPath(held.path, wanted.path, 'unknown');
}
