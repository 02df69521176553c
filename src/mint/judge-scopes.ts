import { type ParsedScope, parseScope, printScope } from '../token/capability.ts';
import { mayGive } from '../token/narrowing.ts';
import { readScopePath } from '../token/scope-path.ts';
import { fitsPattern } from './pattern.ts';
import type { IssueProfile } from './policy.ts';

export type ScopesAnswer =
  | { readonly kind: 'allowed'; readonly scopes: readonly string[]; readonly remarks: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string; readonly allowed?: string; readonly hint?: string };

/** Which of the wanted scopes the policy gives: all of them, in their canonical spelling and each once, or none. */
export function judgeScopes(
  allowed: readonly string[],
  wanted: readonly string[],
  profile: IssueProfile,
): ScopesAnswer {
  const parsed = wanted.map(parseScope);
  for (const scope of parsed) {
    if (scope.kind === 'refused') {
      return {
        kind: 'refused',
        why: `the scope ${JSON.stringify(scope.text)} is none that may be signed: ${scope.why}`,
        hint: 'a service refuses the whole token for such a scope; write it as in storage.read:/data',
      };
    }
    if (!scopeToken.test(scope.text)) {
      return {
        kind: 'refused',
        why: `${JSON.stringify(scope.text)} is no scope (RFC 6749 section 3.3)`,
        hint: 'scopes are ASCII without blanks, quotes and backslashes',
      };
    }
  }
  const rules = rulesOf(allowed);
  const refused = parsed.filter((scope) => !isAllowed(rules, scope)).map(printScope);
  if (refused.length > 0) {
    return {
      kind: 'refused',
      why: `the policy does not allow the ${several('scope', refused)}`,
      allowed: allowed.length === 0 ? 'it allows no scopes at all' : `it allows ${allowed.join(', ')}`,
      hint: `whoever runs the issuer can add it to "scopes" below "policy:" in issuer.yaml`,
    };
  }
  const scopes = [...new Set(parsed.map(printScope))];
  return { kind: 'allowed', scopes, remarks: [...strangers(parsed, profile)] };
}

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

const several = (word: string, texts: readonly string[]): string =>
  `${word}${texts.length > 1 ? 's' : ''} ${texts.join(' ')}`;

interface Rules {
  readonly scopes: readonly ParsedScope[];
  readonly patterns: readonly string[];
}

/** Policies are few and stay the same for long. */
const knownRules = new WeakMap<readonly string[], Rules>();

function rulesOf(allowed: readonly string[]): Rules {
  const known = knownRules.get(allowed);
  if (known !== undefined) return known;
  const patterns = allowed.filter((one) => one.includes('*'));
  const scopes = allowed.filter((one) => !one.includes('*')).map(parseScope);
  const made = { scopes, patterns };
  knownRules.set(allowed, made);
  return made;
}

function isAllowed({ scopes, patterns }: Rules, wanted: ParsedScope): boolean {
  if (mayGive(scopes, wanted)) return true;
  const text = printScope(wanted);
  return patterns.some((pattern) => fitsScope(pattern, text));
}

/**
 * A pattern is held against the canonical spelling. Name and path are compared apart, so that no star of the name reaches into the path;
 * what lies below the path fits, too. Scopes of no profile have no canonical spelling, so what is no plain path there (`/data/../etc`)
 * fits no pattern with one.
 */
function fitsScope(pattern: string, text: string): boolean {
  const [patternColon, colon] = [pattern.indexOf(':'), text.indexOf(':')];
  if (patternColon < 0) return fitsPattern(pattern, text);
  if (colon < 0 || !fitsPattern(pattern.slice(0, patternColon), text.slice(0, colon))) return false;
  const [allowed, path] = [pattern.slice(patternColon + 1), text.slice(colon + 1)];
  if (path.startsWith('/') && readScopePath(path).kind === 'refused') return false;
  return fitsPattern(allowed, path) || fitsPattern(`${allowed}${allowed.endsWith('/') ? '' : '/'}*`, path);
}

/** Scopes of the other dialect: libscitokens translates the WLCG ones in WLCG tokens only. */
function* strangers(scopes: readonly ParsedScope[], profile: IssueProfile): Generator<string> {
  const foreign = profile === 'wlcg' ? 'scitokens' : 'storage';
  const found = scopes.filter(({ kind }) => kind === foreign).map(printScope);
  if (found.length === 0) return;
  const theirs = profile === 'wlcg' ? 'SciTokens' : 'WLCG';
  yield `${found.join(' ')}: ${found.length > 1 ? 'scopes' : 'a scope'} of ${theirs} in a token of the profile ${profile}, which XRootD and others do not understand there`;
}
