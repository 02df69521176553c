import { isCapability, type ParsedScope } from '../token/capability.ts';
import { coversPath, printPath, readRequestPath, type ScopePath } from '../token/scope-path.ts';
import type { Bearer, Decision } from './access.ts';
import { inWords, type Place, reaches } from './areas.ts';
import { grants, type StorageQuestion, type StorageScope } from './storage-question.ts';

/** A denial, with the rule that decides, the sentence, and what would mend it. */
export function denied(rule: string, why: string, { hint }: { readonly hint?: string } = {}): Decision {
  return { kind: 'denied', rule, why, ...(hint === undefined ? {} : { hint }) };
}

/** Says why no scope gives what is asked for, by the one that comes nearest. */
export function missedStorage(
  token: Bearer,
  scopes: readonly ParsedScope[],
  held: readonly StorageScope[],
  question: StorageQuestion,
): Decision {
  const [place] = question.places;
  if (place === undefined) return outside(question);
  const able = held.filter(({ operation }) => grants[operation].includes(question.action));
  const near = nearestOf(able, place.path);
  if (near !== undefined) return wrongPath(token, near, place, question);
  const hint = `ask for ${wordFor(token, question, place.path)}`;
  const there = held.find(({ path }) => coversPath(path, place.path, question.target));
  if (there !== undefined) {
    return denied(there.text, `${there.text} does not let its bearer ${question.action}${aside(there, question)}`, {
      hint,
    });
  }
  const foreign = scopes.find((scope) => scope.kind === (token.profile === 'wlcg' ? 'scitokens' : 'storage'));
  if (foreign !== undefined) return denied(foreign.text, foreignWord(token, foreign), { hint });
  const [groups, capable] = [token.groups.length > 0, scopes.some(isCapability)];
  if (groups && !capable) {
    const why = `no rule here lets the groups ${token.groups.join(' ')} ${question.action} ${inWords(question.wanted, place)}`;
    return denied('groups', why, { hint });
  }
  const has = token.scopes.length === 0 ? 'it has no scope at all' : `its scopes are ${token.scopes.join(' ')}`;
  const ignored = groups ? '; groups are not looked at where there is any capability' : '';
  return denied('no scope', `the token has no scope that lets its bearer ${question.action}: ${has}${ignored}`, {
    hint,
  });
}

function outside({ wanted, area }: StorageQuestion): Decision {
  const bases = area.basePaths.join(', ');
  const why = `${printPath(wanted)} is not the issuer's: its tokens hold below ${bases === '' ? 'nothing' : bases} only`;
  return denied('base_path', why, { hint: 'ask for a path below it, or have the site extend base_path' });
}

/** The one that shares most with the wanted path, letter by letter: `/foo` is near to `/foobar`. */
function nearestOf(scopes: readonly StorageScope[], wanted: ScopePath): StorageScope | undefined {
  const text = printPath(wanted);
  const shared = ({ path }: StorageScope) => {
    const own = printPath(path);
    let length = 0;
    while (length < own.length && own[length] === text[length]) length += 1;
    return length;
  };
  return scopes.toSorted((one, other) => shared(other) - shared(one))[0];
}

function wrongPath(token: Bearer, near: StorageScope, place: Place, question: StorageQuestion): Decision {
  const { area, action, target, wanted } = question;
  const hint = `ask for ${wordFor(token, question, place.path)}`;
  if (reaches(near.path, place.path, action, target)) {
    const why = `${near.text} would reach ${inWords(wanted, place)}, but the site lets this issuer in only below`;
    const limits = (area.restrictedPaths ?? []).join(', ');
    return denied('restricted_path', `${why} ${limits} (restricted_path)`, {
      hint: 'ask for a path below that, or have the site extend restricted_path',
    });
  }
  const why = `${near.text} does not reach ${inWords(wanted, place)}: ${whyNot(near, place, question)}`;
  return denied(near.text, why, { hint });
}

function whyNot({ path, operation }: StorageScope, place: Place, { target, wanted }: StorageQuestion): string {
  const [held, asked] = [printPath(path), printPath(place.path)];
  const base = readRequestPath(place.basePath);
  if (base.kind === 'path' && base.path.segments.length > 0 && coversPath(path, wanted, 'directory'))
    return `paths in tokens start below base_path, so ${place.basePath} must not stand in the scope`;
  if (path.directoryOnly && coversPath(path, place.path, 'directory'))
    return 'the slash at its end makes it hold for a directory, not for a file of that name';
  if (coversPath(place.path, path, 'directory')) {
    const mayMake = operation === 'create' || operation === 'modify' || operation === 'write';
    if (mayMake && target !== 'directory') return `${asked} lies above it, where only missing directories may be made`;
    return `${asked} lies above it`;
  }
  if (asked.startsWith(held)) return 'paths are compared by whole segments';
  if (asked.toLowerCase().startsWith(held.toLowerCase())) return 'paths are compared with their case';
  return `it holds for ${held} and below`;
}

/** What people expect to be included and is not. */
function aside({ operation }: StorageScope, { action }: StorageQuestion): string {
  if (action === 'read' && ['modify', 'write', 'create'].includes(operation))
    return ': writing does not include reading';
  if (action === 'read' && operation === 'stage') return ': since WLCG profile 1.2 staging does not include reading';
  if (action === 'modify' && operation === 'create') return ': creating does not include overwriting and deleting';
  return '';
}

function foreignWord({ profile }: Bearer, { text }: ParsedScope): string {
  if (profile === 'wlcg') return `${text} is a word of SciTokens, and this is a WLCG token`;
  return `${text} is a word of WLCG, and this is no WLCG token: it has no wlcg.ver, or another ver as well`;
}

/** The scope that would do, in the words of the token's profile; SciTokens has no word for staging. */
function wordFor({ profile }: Bearer, { action }: StorageQuestion, path: ScopePath): string {
  const where = printPath({ ...path, directoryOnly: false });
  const word = action === 'stat' ? 'read' : action;
  if (profile === 'wlcg' || word === 'stage' || word === 'poll') return `storage.${word}:${where}`;
  return `${word === 'read' ? 'read' : 'write'}:${where}`;
}
