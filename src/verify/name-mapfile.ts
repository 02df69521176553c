import { nearest } from '../fault/nearest.ts';
import { canonicalPath } from './areas.ts';
import { jsonMistake, type TextPath } from './text-place.ts';

/** One rule of XRootD's `name_mapfile`. What is absent is not compared. */
export interface NameRule {
  /** Counted from 1, as it stands in the file. */
  readonly number: number;
  readonly sub?: string;
  readonly username?: string;
  readonly path?: string;
  readonly group?: string;
  readonly result: string;
}

/** What is said of a rule, or of the file as a whole. */
export interface NameFinding {
  readonly at: TextPath;
  readonly message: string;
}

export interface NameMapfile {
  readonly kind: 'mapfile';
  readonly file: string;
  readonly rules: readonly NameRule[];
  /** What XRootD reads otherwise than it looks. */
  readonly findings: readonly NameFinding[];
}

/** XRootD takes all of the file or none: with one such mistake it keeps its old configuration. */
export type NameMapfileReading =
  | NameMapfile
  | { readonly kind: 'refused'; readonly why: string; readonly at?: TextPath };

export interface NameQuestion {
  readonly subject: string;
  /** What the issuer's section makes of the token before: the subject, a claim, or the default user. */
  readonly username: string;
  readonly groups: readonly string[];
  /** As the server sees it. */
  readonly path: string;
  /** Of the issuer's section; a rule without a path holds below each of them. */
  readonly basePaths: readonly string[];
  /** `characters` is XRootD before 5.9.3: a rule for /data holds for /database too. */
  readonly compares: 'segments' | 'characters';
}

export type NameMapping =
  | { readonly kind: 'mapped'; readonly user: string; readonly rule: NameRule }
  /** `nearest` lacks one thing only, which `why` names. */
  | { readonly kind: 'none'; readonly nearest?: { readonly rule: NameRule; readonly why: string } };

/**
 * Reads a `name_mapfile` as XRootD does: a JSON list of objects. A rule with the key `ignore` is passed over if its value is text.
 */
export function readNameMapfile(text: string, file: string): NameMapfileReading {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (thrown) {
    return unread(jsonMistake(text, file, thrown));
  }
  if (!Array.isArray(list)) return unread(`${file} is not a list of rules`);
  const rules: NameRule[] = [];
  const findings: NameFinding[] = [];
  for (const [index, value] of list.entries()) {
    const read = readRule(value, index + 1);
    if (read.kind === 'refused') {
      return { kind: 'refused', why: `rule ${index + 1}: ${read.why}`, at: [index, ...(read.at ?? [])] };
    }
    for (const { at, message } of read.findings) {
      findings.push({ at: [index, ...at], message: `rule ${index + 1}: ${message}` });
    }
    if (read.kind === 'rule') rules.push(read.rule);
  }
  return { kind: 'mapfile', file, rules, findings };
}

const refused = (why: string, ...at: TextPath) => ({ kind: 'refused', why, at }) as const;

const unread = (why: string) => ({ kind: 'refused', why }) as const;

type RuleReading =
  | { readonly kind: 'rule'; readonly rule: NameRule; readonly findings: readonly NameFinding[] }
  | { readonly kind: 'ignored'; readonly findings: readonly NameFinding[] }
  | { readonly kind: 'refused'; readonly why: string; readonly at?: TextPath };

const known = ['sub', 'username', 'path', 'group', 'result', 'ignore', 'comment'];

function readRule(value: unknown, number: number): RuleReading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refused('it is not an object');
  const rule = value as Readonly<Record<string, unknown>>;
  if (typeof rule['ignore'] === 'string' && typeof (rule['group'] ?? '') === 'string')
    return { kind: 'ignored', findings: [] };
  for (const key of ['group', 'path', 'result', 'sub'] as const) {
    if (rule[key] !== undefined && typeof rule[key] !== 'string') return refused(`"${key}" is not text`, key);
  }
  const { sub, username, path, group, result } = rule as Readonly<Record<string, string | undefined>>;
  if (path !== undefined && !path.startsWith('/')) return refused(`the path "${path}" does not start with "/"`, 'path');
  if (result === undefined || result === '') return refused('it has no "result"');
  const made: NameRule = {
    number,
    result,
    ...(sub ? { sub } : {}),
    ...(typeof username === 'string' && username !== '' ? { username } : {}),
    ...(path ? { path: canonicalPath(path) } : {}),
    ...(group ? { group } : {}),
  };
  return { kind: 'rule', rule: made, findings: oddities(rule, made) };
}

function oddities(rule: Readonly<Record<string, unknown>>, made: NameRule): readonly NameFinding[] {
  const { sub, username, group, result } = made;
  const found: NameFinding[] = Object.keys(rule)
    .filter((key) => !known.includes(key))
    .map((key) => ({ at: [key], message: `XRootD knows no "${key}"${meantFor(key)} and passes over it` }));
  const note = (key: string, message: string) => found.push({ at: [key], message });
  if (rule['ignore'] !== undefined)
    note('ignore', '"ignore" does not count, since it is not text; write "ignore": "yes"');
  if (rule['username'] !== undefined && typeof rule['username'] !== 'string')
    note('username', '"username" does not count, since it is not text');
  if (group !== undefined && !group.startsWith('/'))
    note('group', `the group "${group}" does not start with "/", as groups of WLCG tokens do`);
  if (sub === undefined && username === undefined && group === undefined)
    found.push({ at: [], message: `everybody becomes ${result}, since it names no subject and no group` });
  return found;
}

function meantFor(key: string): string {
  const guess = nearest(key, known);
  return guess === undefined ? '' : ` (did you mean "${guess}"?)`;
}

/** Whoever the rules say it is, the first that fits. All that a rule names has to fit. */
export function mapByNameMapfile(rules: readonly NameRule[], question: NameQuestion): NameMapping {
  for (const rule of rules) {
    if (misses(rule, question).length === 0) return { kind: 'mapped', user: rule.result, rule };
  }
  for (const rule of rules) {
    const [why, another] = misses(rule, question);
    if (why !== undefined && another === undefined) return { kind: 'none', nearest: { rule, why } };
  }
  return { kind: 'none' };
}

function misses(rule: NameRule, question: NameQuestion): readonly string[] {
  const { subject, username, groups } = question;
  const found: string[] = [];
  if (rule.sub !== undefined && rule.sub !== subject) found.push(`it is for subject "${rule.sub}"`);
  if (rule.username !== undefined && rule.username !== username) found.push(`it is for user "${rule.username}"`);
  if (rule.group !== undefined && !groups.includes(rule.group)) found.push(`it is for group "${rule.group}"`);
  const prefixes = question.basePaths.map((base) => `${canonicalPath(base)}${rule.path ?? ''}`.replace('//', '/'));
  if (!prefixes.some((prefix) => holdsAt(prefix, question))) found.push(`it holds below ${prefixes.join(', ')}`);
  return found;
}

function holdsAt(prefix: string, { path, compares }: NameQuestion): boolean {
  const asked = canonicalPath(path);
  if (compares === 'characters') return asked.startsWith(prefix);
  return asked === prefix || asked.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
