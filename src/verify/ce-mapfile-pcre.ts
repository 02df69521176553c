export type PcreTranslation =
  | { readonly kind: 'translated'; readonly source: string; readonly caseless: boolean }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * A pattern of PCRE as one of JavaScript. Both agree in most things; where they do not, it is rewritten (`$` before a last line end,
 * `.`, `\s`, POSIX classes, ungreedy) or refused by name (possessive and atomic groups, references, recursion, verbs, …).
 */
export function translatePcre(pattern: string, greed: Greed): PcreTranslation {
  const caseless = pattern.startsWith('(?i)');
  let source = '';
  for (let at = caseless ? 4 : 0; at < pattern.length; ) {
    const step = stepAt(pattern, at, greed);
    if (step === undefined) return { kind: 'refused', why: notKnown(pattern.slice(at)) };
    source += step.text;
    at += step.length;
  }
  return { kind: 'translated', source, caseless };
}

type Greed = 'greedy' | 'ungreedy';
/** Undefined for what cannot be said in JavaScript. */
type Rewrite = (found: readonly (string | undefined)[], greed: Greed) => string | undefined;

function stepAt(
  pattern: string,
  at: number,
  greed: Greed,
): { readonly text: string; readonly length: number } | undefined {
  for (const [form, rewrite] of forms) {
    form.lastIndex = at;
    const found = form.exec(pattern);
    if (found === null) continue;
    const text = rewrite(found, greed);
    return text === undefined ? undefined : { text, length: found[0].length };
  }
  return undefined;
}

function notKnown(rest: string): string {
  const what = /^(?:\\.|\(\?\w*|\(\*\w*|\[.*?\]|.)[+]?/s.exec(rest)?.[0] ?? '';
  return `the pattern uses ${what.slice(0, 20)}, which is not understood here`;
}

const asItIs: Rewrite = ([whole]) => whole;

/** Before the end, or before a line end that is the last character. */
const end = '(?=\\n?(?![\\s\\S]))';
const space = '\\t-\\r ';

const escapes: Readonly<Record<string, string>> = {
  '\\A': '^',
  '\\z': '(?![\\s\\S])',
  '\\Z': end,
  '\\s': `[${space}]`,
  '\\S': `[^${space}]`,
  '\\a': '\\x07',
  '\\e': '\\x1b',
};

/** The first form that fits says what becomes of it. */
const forms: readonly (readonly [RegExp, Rewrite])[] = [
  [/\\Q(.*?)(?:\\E|$)/sy, ([, text = '']) => [...text].map(escaped).join('')],
  [/\\(?:[AzZ](?![*+?]|\{\d)|[sSae])/y, ([whole = '']) => escapes[whole]],
  [/\\x(?:([0-9A-Fa-f]{2})|\{0*([0-9A-Fa-f]{1,2})\})/y, hexadecimal],
  [/\\[bBdDwWfnrt]/y, asItIs],
  [/\\([^A-Za-z0-9])/sy, ([, character = '']) => escaped(character)],
  [/\[(\^?)(\]?)((?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*)\]/sy, bracketed],
  [/\((?:\?(?:[:=!]|<[=!]|P?<[A-Za-z_]\w*>))?(?![?*])/y, ([whole = '']) => whole.replace('?P<', '?<')],
  [
    /([*+?]|\{\d+(?:,\d*)?\})(\??)(?!\+)/y,
    ([, many = '', lazy], greed) => ((lazy === '?') === (greed === 'greedy') ? `${many}?` : many),
  ],
  [/\$(?![*+?]|\{\d)/y, () => end],
  [/\./y, () => '[^\\n]'],
  [/\//y, () => '\\/'],
  [/[^\\[(*+?{]|\{(?![\d,])/sy, asItIs],
];

function hexadecimal([, two, some]: readonly (string | undefined)[]): string {
  return `\\x${(two ?? some ?? '').padStart(2, '0')}`;
}

/** The classes of POSIX, which only PCRE knows. */
const posixClasses: ReadonlyMap<string, string> = new Map([
  ['alnum', 'A-Za-z0-9'],
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['lower', 'a-z'],
  ['upper', 'A-Z'],
  ['xdigit', '0-9A-Fa-f'],
  ['word', '\\w'],
  ['space', space],
  ['blank', ' \\t'],
  ['punct', '!-\\/:-@\\[-`{-~'],
]);

/** A bracket that closes at once is one of the characters; an opening one inside is too, unless it begins a class of POSIX. */
function bracketed([, not = '', first = '', rest = '']: readonly (string | undefined)[]): string | undefined {
  let inside = first === '' ? '' : '\\]';
  for (const [part] of rest.matchAll(/\[:\^?[a-z]+:\]|\\.|[^\\]/gs)) {
    const text = insideBrackets(part);
    if (text === undefined) return undefined;
    inside += text;
  }
  return `[${not}${inside}]`;
}

function insideBrackets(part: string): string | undefined {
  if (part.startsWith('[:')) return posixClasses.get(part.slice(2, -2));
  if (part === '\\s') return space;
  if (/^\\[A-Za-z0-9]$/.test(part)) return /[bdDwWfnrt]/.test(part) ? part : undefined;
  return part === '[' ? '\\[' : part;
}

const escaped = (character: string): string =>
  /[A-Za-z0-9_]/.test(character) ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
