import { readGroup } from './group-name.ts';
import { type PathReading, printPath, readScopePath, type ScopePath } from './scope-path.ts';

export type StorageOperation = 'read' | 'create' | 'modify' | 'stage' | 'poll';
export type ComputeOperation = 'read' | 'modify' | 'create' | 'cancel';

/** `text` is the scope as it was written; `printScope` gives the canonical spelling. */
export type ParsedScope =
  | { readonly kind: 'storage'; readonly operation: StorageOperation; readonly path: ScopePath; readonly text: string }
  | {
      readonly kind: 'scitokens';
      readonly operation: 'read' | 'write';
      readonly path: ScopePath;
      readonly text: string;
    }
  | { readonly kind: 'compute'; readonly operation: ComputeOperation; readonly text: string }
  /** `condor:/READ`: the authorization level of HTCondor, not a path. */
  | { readonly kind: 'condor'; readonly level: string; readonly text: string }
  /** Asks for groups: for one, or without `group` for the default ones. */
  | { readonly kind: 'groups'; readonly group?: string; readonly text: string }
  /** Asks for all scopes that go with a group. */
  | { readonly kind: 'capabilityset'; readonly group: string; readonly text: string }
  | { readonly kind: 'other'; readonly text: string }
  /** Means to be a scope of a profile and is none: whoever verifies a token with it refuses the whole token (WLCG profile 1.3). */
  | { readonly kind: 'refused'; readonly text: string; readonly why: string };

/** Reads one scope-token (RFC 6749 section 3.3) by the rules of WLCG, SciTokens and HTCondor. Names are compared with their case. */
export function parseScope(text: string): ParsedScope {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? undefined : text.slice(colon + 1);
  const storage = storageOperations.get(name);
  if (storage !== undefined)
    return withPath(text, rest, (path) => ({ kind: 'storage', operation: storage, path, text }));
  // The libraries take a missing path for "/"; the profiles of both say that there has to be one.
  if (name === 'read' || name === 'write') {
    return withPath(text, rest, (path) => ({ kind: 'scitokens', operation: name, path, text }));
  }
  const compute = computeOperations.get(text);
  if (compute !== undefined) return { kind: 'compute', operation: compute, text };
  if (name === 'condor') return condorScope(text, rest);
  if (text === 'wlcg.groups') return { kind: 'groups', text };
  if (name === 'wlcg.groups') return withGroup(text, rest, (group) => ({ kind: 'groups', group, text }));
  if (name === 'wlcg.capabilityset') return withGroup(text, rest, (group) => ({ kind: 'capabilityset', group, text }));
  return { kind: 'other', text };
}

/** Reads the claim or parameter `scope`: separated by blanks, of which several in a row do no harm. Nothing else separates. */
export function parseScopes(claim: string): readonly ParsedScope[] {
  return claim
    .split(' ')
    .filter((text) => text !== '')
    .map(parseScope);
}

/** The canonical spelling, which `parseScope` reads as the same scope. */
export function printScope(scope: ParsedScope): string {
  switch (scope.kind) {
    case 'storage':
      return `storage.${scope.operation}:${printPath(scope.path)}`;
    case 'scitokens':
      return `${scope.operation}:${printPath(scope.path)}`;
    case 'compute':
      return `compute.${scope.operation}`;
    case 'condor':
      return `condor:/${scope.level}`;
    case 'groups':
      return scope.group === undefined ? 'wlcg.groups' : `wlcg.groups:${scope.group}`;
    case 'capabilityset':
      return `wlcg.capabilityset:${scope.group}`;
    case 'other':
    case 'refused':
      return scope.text;
  }
}

/**
 * Is it a capability that a profile defines? One of them in a token, of use here or not, and groups no longer count (WLCG profile 1.3,
 * "Interoperability"). A refused one was meant to be one, and must not open the way to the groups.
 */
export function isCapability(scope: ParsedScope): boolean {
  return ['storage', 'scitokens', 'compute', 'condor', 'refused'].includes(scope.kind);
}

const storageOperations: ReadonlyMap<string, StorageOperation> = new Map(
  (['read', 'create', 'modify', 'stage', 'poll'] as const).map((operation) => [`storage.${operation}`, operation]),
);

const computeOperations: ReadonlyMap<string, ComputeOperation> = new Map(
  (['read', 'modify', 'create', 'cancel'] as const).map((operation) => [`compute.${operation}`, operation]),
);

/** Every name of a scope that the WLCG profile defines with `storage.` and `compute.`. */
export const wlcgScopeNames: readonly string[] = [...storageOperations.keys(), ...computeOperations.keys()];

function withPath(text: string, raw: string | undefined, made: (path: ScopePath) => ParsedScope): ParsedScope {
  const reading: PathReading = readScopePath(raw ?? '');
  return reading.kind === 'path' ? made(reading.path) : { kind: 'refused', text, why: reading.why };
}

function withGroup(text: string, name: string | undefined, made: (group: string) => ParsedScope): ParsedScope {
  const reading = readGroup(name ?? '');
  return reading.kind === 'group' ? made(reading.name) : { kind: 'refused', text, why: reading.why };
}

function condorScope(text: string, rest: string | undefined): ParsedScope {
  const level = /^\/([A-Za-z][A-Za-z0-9_]*)$/.exec(rest ?? '')?.[1];
  if (level !== undefined) return { kind: 'condor', level, text };
  return { kind: 'refused', text, why: 'it does not name one authorization level of HTCondor, as condor:/READ does' };
}
