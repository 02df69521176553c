import { createContext, Script } from 'node:vm';
import { translatePcre } from './ce-mapfile-pcre.ts';

/** A pattern of PCRE that means the same as an expression of JavaScript. */
export interface MapfilePattern {
  readonly kind: 'pattern';
  readonly source: string;
  readonly flags: '' | 'i';
  /** Whether it takes a time that grows no faster than the square of the name. */
  readonly tame: boolean;
}

export type PatternReading = MapfilePattern | { readonly kind: 'refused'; readonly why: string };

/** What the groups of a match hold; 0 is all of it. Groups after the last one that took part are not there. */
export type PatternMatch =
  | { readonly kind: 'match'; readonly groups: readonly string[] }
  | { readonly kind: 'no match' }
  /** HTCondor's library has a limit of its own, and counts it as no match. */
  | { readonly kind: 'too slow' };

const longestPattern = 2000;

/** Longest time for one pattern that is not tame. */
const patience = 250;

/** Reads a pattern of a mapfile; `letters` are those after its closing slash. */
export function readPattern(source: string, letters: string): PatternReading {
  if (source.length > longestPattern) return refused(`the pattern has more than ${longestPattern} characters`);
  const translated = translatePcre(bytesOf(source), letters.includes('U') ? 'ungreedy' : 'greedy');
  if (translated.kind === 'refused') return translated;
  const flags = letters.includes('i') || translated.caseless ? 'i' : '';
  try {
    new RegExp(translated.source, flags);
  } catch {
    return refused('it is not a pattern');
  }
  return { kind: 'pattern', source: translated.source, flags, tame: isTame(translated.source) };
}

const refused = (why: string): PatternReading => ({ kind: 'refused', why });

/** HTCondor compares bytes; each becomes one character here, and groups become text again. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const textOf = (bytes: string | undefined): string => Buffer.from(bytes ?? '', 'latin1').toString('utf8');

export function matchPattern(pattern: MapfilePattern, name: string): PatternMatch {
  const bytes = bytesOf(name);
  const found = pattern.tame ? new RegExp(pattern.source, pattern.flags).exec(bytes) : execWithin(pattern, bytes);
  if (found === undefined) return { kind: 'too slow' };
  if (found === null) return { kind: 'no match' };
  const last = found.reduce((at, group, index) => (group === undefined ? at : index), 0);
  return { kind: 'match', groups: Array.from(found.slice(0, last + 1), textOf) };
}

const script = new Script('new RegExp(source, flags).exec(name)');

/** Only from outside can an expression that runs away be stopped. */
function execWithin({ source, flags }: MapfilePattern, name: string): (string | undefined)[] | null | undefined {
  try {
    return script.runInContext(createContext({ source, flags, name }), { timeout: patience });
  } catch {
    return undefined;
  }
}

/** Few choices each double the time: `(a|a)` twenty times over takes seconds, and nothing in it repeats. */
const mostChoices = 4;

/** No group repeats, at most two things do, of which trying each place of the name is one, and there are few other choices. */
function isTame(source: string): boolean {
  const bare = source
    .replace(/\\./gs, 'x')
    .replace(/\[[^\]]*\]/g, 'x')
    .replace(/\(\?/g, '(')
    .replace(/([*+?}])\?/g, '$1');
  if ((bare.match(/[?|]/g) ?? []).length > mostChoices) return false;
  const anchored = bare.startsWith('^') && !bare.includes('|');
  const endless = (bare.match(/[*+]|\{\d+,\d*\}/g) ?? []).length + (anchored ? 0 : 1);
  return endless <= 2 && !/\)[*+{]/.test(bare);
}
