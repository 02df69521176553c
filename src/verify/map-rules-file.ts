import { nearest } from '../fault/nearest.ts';
import { parseScope } from '../token/capability.ts';
import { accountName, isPowerful, type MapRule, type MapRules } from './map-rules.ts';
import { jsonMistake, placeInText, yamlMistake } from './text-place.ts';

export type MapRulesReading =
  | { readonly kind: 'rules'; readonly rules: MapRules }
  /** Rules are taken whole or not at all: what a file with a mistake means is not for a program to guess. */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Reads rules from YAML, or from JSON where the name ends in `.json`, which starts faster.
 *
 *     rules:
 *       - { issuer: https://cms-auth.cern.ch/, group: /cms/pilot, scope: compute.create, user: cmspilot }
 */
export async function readMapRules(text: string, file: string): Promise<MapRulesReading> {
  const parsed = file.endsWith('.json') ? parseJson(text, file) : await parseYaml(text, file);
  if (parsed.kind === 'refused') return parsed;
  const top = parsed.value;
  if (!isObject(top) || Object.keys(top).join() !== 'rules' || !Array.isArray(top['rules'])) {
    const stray = isObject(top) ? Object.keys(top).find((key) => key !== 'rules') : undefined;
    const place = await placeInText(text, file, stray === undefined ? [] : [stray]);
    return refused(`${place}: it has to be a mapping with one key "rules" that holds a list`);
  }
  const rules: MapRule[] = [];
  for (const [index, value] of top['rules'].entries()) {
    const rule = readRule(value, index + 1);
    if (rule.kind === 'refused') {
      const place = await placeInText(text, file, ['rules', index, ...(rule.key === undefined ? [] : [rule.key])]);
      return refused(`${place}: rule ${index + 1}: ${rule.why}`);
    }
    rules.push(rule.rule);
  }
  return { kind: 'rules', rules: { file, rules } };
}

type Parsed = { readonly kind: 'value'; readonly value: unknown } | Refused;
/** `key` is the one of a rule that is wrong. */
type Refused = { readonly kind: 'refused'; readonly why: string; readonly key?: string };

const refused = (why: string, key?: string): Refused => ({
  kind: 'refused',
  why,
  ...(key === undefined ? {} : { key }),
});

function parseJson(text: string, file: string): Parsed {
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch (thrown) {
    return refused(jsonMistake(text, file, thrown));
  }
}

async function parseYaml(text: string, file: string): Promise<Parsed> {
  const mistake = await yamlMistake(text, file);
  if (mistake !== undefined) return refused(mistake);
  const { parseDocument } = await import('yaml');
  try {
    return { kind: 'value', value: parseDocument(text).toJS({ maxAliasCount: 0 }) };
  } catch {
    return refused(`${file} has aliases, which are not taken here`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const known = ['issuer', 'subject', 'group', 'scope', 'audience', 'user', 'among', 'deny', 'comment'];

function readRule(value: unknown, number: number): { readonly kind: 'rule'; readonly rule: MapRule } | Refused {
  if (!isObject(value)) return refused('it is not a mapping');
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray !== undefined)
    return refused(`"${stray}" is not known${meantFor(stray, known)}; known are ${known.join(', ')}`, stray);
  const odd = ['issuer', 'subject', 'audience', 'comment'].find((key) => !isTextOrAbsent(value[key]));
  if (odd !== undefined) return refused(`"${odd}" has to be a text that is not empty`, odd);
  const { issuer, subject, audience } = value as Readonly<Record<string, string | undefined>>;
  if (issuer === undefined) return refused('"issuer" is missing; a subject or group means nothing without it');
  if (issuer.includes('*')) return refused('"issuer" is compared to the letter and has no "*"', 'issuer');
  if (inTheMiddle(subject ?? '')) return refused('"subject" may have a "*" at its end only', 'subject');
  const groups = wordsOf(value['group']);
  const scopes = wordsOf(value['scope']);
  if (groups === undefined) return refused('"group" has to be a text, or a list of texts', 'group');
  if (scopes === undefined) return refused('"scope" has to be a text, or a list of texts', 'scope');
  const badGroup = groups.find((group) => !/^(\/[a-zA-Z0-9][\w.-]*)+(\/\*)?$/.test(group));
  if (badGroup !== undefined)
    return refused(`${JSON.stringify(badGroup)} is no group such as /cms/pilot or /cms/*`, 'group');
  const parsed = scopes.map(parseScope);
  const badScope = parsed.find((scope) => scope.kind === 'refused');
  if (badScope?.kind === 'refused')
    return refused(`the scope ${JSON.stringify(badScope.text)}: ${badScope.why}`, 'scope');
  const then = outcomeOf(value);
  if (then.kind === 'refused') return then;
  const optional = { ...(subject === undefined ? {} : { subject }), ...(audience === undefined ? {} : { audience }) };
  return { kind: 'rule', rule: { number, issuer, ...optional, groups, scopes: parsed, then } };
}

function meantFor(stray: string, known: readonly string[]): string {
  const guess = nearest(stray, known);
  return guess === undefined ? '' : ` (did you mean "${guess}"?)`;
}

const isTextOrAbsent = (value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && value.trim() !== '');

const inTheMiddle = (pattern: string): boolean => pattern.slice(0, -1).includes('*');

function wordsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every((one) => typeof one === 'string' && /^\S+$/.test(one))
    ? (list as readonly string[])
    : undefined;
}

function outcomeOf(rule: Readonly<Record<string, unknown>>): MapRule['then'] | Refused {
  const { user, among, deny } = rule;
  if ((user === undefined) === (deny === undefined)) return refused('it takes either "user" or "deny: true"');
  if (among !== undefined && user !== '{subject}')
    return refused('"among" goes with "user: \'{subject}\'" only', 'among');
  if (deny !== undefined) return deny === true ? { kind: 'deny' } : refused('"deny" can only be true', 'deny');
  if (typeof user !== 'string') return refused('"user" has to be a text', 'user');
  if (user === '{subject}') return subjectAmong(among);
  if (user.includes('{')) return refused('"user" is a name, or exactly {subject}', 'user');
  if (!accountName.test(user)) return refused(`${JSON.stringify(user)} is no name of a local user`, 'user');
  if (isPowerful(user)) return refused(`nobody becomes ${user} by a token`, 'user');
  return { kind: 'user', user };
}

/** The issuer chooses subjects, so that the site has to say which of them may be users here. */
function subjectAmong(among: unknown): MapRule['then'] | Refused {
  const names = wordsOf(among);
  if (names === undefined || names.length === 0) {
    return refused('"user: {subject}" needs "among", a list of the names that may come of it, such as [alice, "cms*"]');
  }
  const wide = names.find((name) => name === '*' || inTheMiddle(name));
  if (wide !== undefined)
    return refused(`"among" has ${JSON.stringify(wide)}; a "*" stands after at least one letter, at the end`, 'among');
  return { kind: 'subject', among: names };
}
