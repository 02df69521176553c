import { type ParsedScope, parseScope, printScope } from './capability.ts';
import { mayGive } from './narrowing.ts';
import { printPath } from './scope-path.ts';

/** `scitokens` has HTCondor's scopes in it; `htcondor` has nothing else. */
export type Dialect = 'wlcg' | 'scitokens' | 'htcondor';

export interface Equivalents {
  readonly scopes: readonly string[];
  /** What this dialect has no word for; a wider one is never put in its place. */
  readonly without: readonly ParsedScope[];
}

/**
 * Says scopes in another dialect, after OSG's table ("Collaborations and Bearer Tokens", Scope): HTCondor's READ and WRITE, and
 * reading and writing with XRootD. Scopes of no dialect stay as they are, as they do in libscitokens.
 */
export function inDialect(scopes: readonly ParsedScope[], dialect: Dialect): Equivalents {
  const maySubmit = mayGive(scopes, parseScope('condor:/WRITE'));
  const said = scopes.map((scope) => ({ scope, words: wordsFor[dialect](scope, maySubmit) }));
  return {
    scopes: [...new Set(said.flatMap(({ words }) => words))],
    without: said.filter(({ words }) => words.length === 0).map(({ scope }) => scope),
  };
}

/** Only all three of them together are what HTCondor calls WRITE. */
const wholeWrite = ['compute.modify', 'compute.cancel', 'compute.create'];

const wordsFor: Readonly<Record<Dialect, (scope: ParsedScope, maySubmit: boolean) => readonly string[]>> = {
  wlcg: inWlcg,
  scitokens: (scope, maySubmit) => [...storageInScitokens(scope), ...inCondor(scope, maySubmit)],
  htcondor: inCondor,
};

function inWlcg(scope: ParsedScope): readonly string[] {
  switch (scope.kind) {
    case 'scitokens':
      return [`storage.${scope.operation === 'read' ? 'read' : 'modify'}:${printPath(scope.path)}`];
    case 'condor':
      if (scope.level === 'READ') return ['compute.read'];
      return scope.level === 'WRITE' ? wholeWrite : [];
    case 'refused':
      return [];
    default:
      return [printScope(scope)];
  }
}

function storageInScitokens(scope: ParsedScope): readonly string[] {
  if (scope.kind === 'scitokens' || scope.kind === 'other') return [printScope(scope)];
  if (scope.kind !== 'storage') return [];
  if (scope.operation === 'read') return [`read:${printPath(scope.path)}`];
  return scope.operation === 'modify' ? [`write:${printPath(scope.path)}`] : [];
}

function inCondor(scope: ParsedScope, maySubmit: boolean): readonly string[] {
  if (scope.kind === 'condor') return [printScope(scope)];
  if (scope.kind !== 'compute') return [];
  if (scope.operation === 'read') return ['condor:/READ'];
  return maySubmit ? ['condor:/WRITE'] : [];
}
