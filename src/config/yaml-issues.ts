import type { z } from 'zod';
import type { Findings } from './finding.ts';
import type { Path, YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

/** Checks one part of the file; undefined when it has an error, and then the findings say where and what. */
export function checkPart<S extends z.ZodType>(
  schema: S,
  source: YamlSource,
  path: Path,
  value: unknown,
  findings: Findings,
): z.output<S> | undefined {
  const section = path.slice(0, 2).map(String).join('.');
  const result = schema.safeParse(value);
  if (result.success) return findings.broken(section) ? undefined : result.data;
  for (const issue of result.error.issues) report(issue, { source, path, value, section, findings });
  return undefined;
}

interface Place {
  readonly source: YamlSource;
  readonly path: Path;
  readonly value: unknown;
  readonly section: string;
  readonly findings: Findings;
}

function report(issue: Issue, outer: Place): void {
  const place = { ...outer, path: [...outer.path, ...issue.path], value: lookup(outer.value, issue.path) };
  if (issue.code === 'unrecognized_keys') reportUnknown(issue.keys, issue.message, place);
  else if (issue.code === 'invalid_union' && issue.errors.length > 0) reportUnion(issue.errors, issue.message, place);
  else if (place.value === undefined) reportMissing(issue, place);
  else reportValue(issue, place);
}

function reportMissing(issue: Issue, { source, path, section, findings }: Place): void {
  const choice = issue.code === 'invalid_union' ? ` (one of ${optionsOf(issue).join(', ')})` : '';
  findings.error(source.keyAt(path.slice(0, -1)), `"${String(path.at(-1))}" is missing${choice}`, { section });
}

function reportValue(issue: Issue, { source, path, value, section, findings }: Place): void {
  const known = optionsOf(issue);
  findings.error(source.valueAt(path), `${nameAt(path)} ${clauseOf(issue, value)}`, {
    section,
    ...(typeof value === 'string' && known.length > 0 ? { unknown: { word: value, known } } : {}),
  });
}

/** `known` is the list that `section()` left in the message of an unknown key. */
function reportUnknown(keys: readonly string[], known: string, place: Omit<Place, 'value'>): void {
  for (const key of keys) {
    place.findings.error(place.source.keyAt([...place.path, key]), `unknown key "${key}"`, {
      section: place.section,
      unknown: { word: key, known: known.split(' ') },
    });
  }
}

/** A value that fits no form of a union: what is said is about the form that was probably meant. */
function reportUnion(branches: readonly Issue[][], message: string, place: Place): void {
  const likely = branches.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  if (likely.length === 0) {
    reportForm(message, place);
    return;
  }
  const complete = likely.filter((issues) => !issues.some((issue) => isMissing(issue, place.value)));
  if (complete.length > 0) {
    const best = complete.reduce((one, other) => (other.length < one.length ? other : one));
    for (const issue of best) report(issue, place);
    return;
  }
  const understood = likely.filter((issues) => !issues.some(isUnknownKey));
  const [meant, ...others] = understood;
  if (meant !== undefined && others.length === 0) {
    for (const issue of meant) report(issue, place);
    return;
  }
  const unknown = likely.flat().filter(isUnknownKey);
  const known = new Set(unknown.flatMap((issue) => issue.message.split(' ')));
  const keys = Object.keys(place.value as object).filter((key) => !known.has(key));
  if (keys.length > 0) reportUnknown(keys, [...known].join(' '), place);
  else reportForm(message, place);
}

function reportForm(message: string, { source, path, section, findings }: Place): void {
  findings.error(source.valueAt(path), `${nameAt(path)} ${message}`, { section });
}

const isUnknownKey = (issue: Issue): issue is Extract<Issue, { readonly code: 'unrecognized_keys' }> =>
  issue.code === 'unrecognized_keys' && issue.path.length === 0;

const isMissing = (issue: Issue, value: unknown): boolean =>
  issue.code === 'invalid_type' && issue.path.length === 1 && lookup(value, issue.path) === undefined;

function lookup(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, step) => (inside as Record<PropertyKey, unknown> | null | undefined)?.[step],
    value,
  );
}

function optionsOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  const options = issue.code === 'invalid_union' && 'options' in issue ? issue.options : undefined;
  return Array.isArray(options) ? options.map(String) : [];
}

/** What is wrong, as the rest of a sentence that starts with the key. Values are quoted only where they are one of a few words. */
function clauseOf(issue: Issue, value: unknown): string {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_value' || issue.code === 'invalid_union') {
    const word = typeof value === 'string' ? `is "${value}", but ` : '';
    return `${word}must be one of ${optionsOf(issue).join(', ')}`;
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `must be ${nameOf(issue.expected)}, not ${nameOfValue(value)}`;
  }
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) return `must be at most ${issue.maximum}`;
  return issue.message;
}

const names: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};
const nameOf = (type: string): string => names[type] ?? type;

function nameOfValue(value: unknown): string {
  if (value === null) return 'empty';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return nameOf(Array.isArray(value) ? 'array' : typeof value);
}

/** Of what is wrong at the very top there is no key to name. */
const nameAt = (path: Path): string => (path.length === 0 ? 'the file' : `"${labelOf(path)}"`);

/** The key a person sees, with the place in a list: `deliver[0].mode`. */
export function labelOf(path: Path): string {
  const inside =
    path.length > 2 && ['accounts', 'tokens', 'notify', 'issuers'].includes(String(path[0])) ? path.slice(2) : path;
  return inside.reduce<string>((label, step) => {
    if (typeof step === 'number') return `${label}[${step}]`;
    return label === '' ? String(step) : `${label}.${String(step)}`;
  }, '');
}
