import { type MapfilePattern, readPattern } from './ce-mapfile-pattern.ts';

/** Where a line stands; lines count from 1. */
export interface MapfilePlace {
  readonly file: string;
  readonly line: number;
}

/** What the second field of a line is compared with the principal by. */
export type Principal =
  /** Not between slashes: the whole name, byte for byte. */
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'pattern'; readonly source: string; readonly pattern: MapfilePattern }
  /** HTCondor's PCRE may know it, this reader does not; nothing is said of such a line but that it is not known. */
  | { readonly kind: 'unknown'; readonly source: string; readonly why: string };

export interface MapfileLine extends MapfilePlace {
  readonly kind: 'line';
  /** Upper case; HTCondor compares it without case. */
  readonly method: string;
  readonly principal: Principal;
  /** The local user, with `\1` for what the first group of the pattern matched. */
  readonly canonical: string;
  /** The line as it is written. */
  readonly text: string;
}

/** `@include PATH`: a file, or every file of a directory. */
export interface MapfileInclude extends MapfilePlace {
  readonly kind: 'include';
  readonly path: string;
}

/** Something wrong or doubtful. What HTCondor itself drops is an error: the line is as good as not there. */
export interface MapfileFinding extends MapfilePlace {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export interface MapfileText {
  readonly entries: readonly (MapfileLine | MapfileInclude)[];
  readonly findings: readonly MapfileFinding[];
}

/**
 * Reads a mapfile of HTCondor as an HTCondor-CE does, where CERTIFICATE_MAPFILE_ASSUME_HASH_KEYS is true: `METHOD principal user`,
 * the principal a pattern only between slashes. Lines that HTCondor skips are findings.
 *
 *     readMapfile('SCITOKENS /^https:\\/\\/vo\\.example,/ vo', '10-vo.conf')
 */
export function readMapfile(text: string, file: string): MapfileText {
  const entries: (MapfileLine | MapfileInclude)[] = [];
  const findings: MapfileFinding[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const place = { file, line: index + 1 };
    const read = readLine(raw, place);
    if (read === undefined) continue;
    if (read.kind === 'skipped') findings.push({ ...place, severity: 'error', message: read.why });
    else entries.push(read);
  }
  return { entries, findings };
}

/** A pattern that fits this text alone, as it stands between the slashes of a mapfile, where a backslash before a backslash goes away. */
export const literalPattern = (text: string): string =>
  text.replace(/\\/g, '\\\\\\\\').replace(/[.*+?()[\]{}^$|/]/g, (character) => `\\${character}`);

type Read = MapfileLine | MapfileInclude | { readonly kind: 'skipped'; readonly why: string } | undefined;

function readLine(raw: string, place: MapfilePlace): Read {
  const method = plainField(raw, 0);
  if (method.text === '' || method.text.startsWith('#')) return undefined;
  if (method.text === '@include') {
    const path = plainField(raw, method.end).text;
    return path === '' ? skipped('@include without a path') : { kind: 'include', ...place, path };
  }
  const second = principalField(raw, method.end);
  const third = plainField(raw, second.end);
  if (second.text === '' || third.text === '') {
    return skipped('the line is skipped: it takes three fields, METHOD, principal and user');
  }
  return {
    kind: 'line',
    ...place,
    method: method.text.toUpperCase(),
    principal: principalOf(second),
    canonical: third.text,
    text: raw.trim(),
  };
}

const skipped = (why: string) => ({ kind: 'skipped', why }) as const;

function principalOf({ form, text, flags }: PrincipalField): Principal {
  if (form === 'exact') return { kind: 'exact', text };
  const reading = readPattern(text, flags);
  return reading.kind === 'pattern'
    ? { kind: 'pattern', source: text, pattern: reading }
    : { kind: 'unknown', source: text, why: reading.why };
}

interface Field {
  readonly text: string;
  /** Where the next field may begin. */
  readonly end: number;
}

interface PrincipalField extends Field {
  readonly form: 'exact' | 'pattern';
  /** Letters after the closing slash: `i` is without case, `U` ungreedy. */
  readonly flags: string;
}

/** The first and third field: in double quotes, or up to the next blank. */
function plainField(line: string, from: number): Field {
  const start = afterBlanks(line, from);
  return line[start] === '"' ? enclosed(line, start) : upToBlank(line, start);
}

function principalField(line: string, from: number): PrincipalField {
  const start = afterBlanks(line, from);
  if (line[start] === '"') return { ...enclosed(line, start), form: 'exact', flags: '' };
  if (line[start] !== '/') return { ...upToBlank(line, start), form: 'exact', flags: '' };
  const { text, end } = enclosed(line, start);
  const flags = /^[iU]*/.exec(line.slice(end))?.[0] ?? '';
  return { text, end: end + flags.length, form: 'pattern', flags };
}

/**
 * Up to the same mark again. A backslash before the mark or before a backslash goes away; before anything else it stays, since it
 * belongs to the pattern. Without a second mark the field ends with the line.
 */
function enclosed(line: string, start: number): Field {
  const mark = line.charAt(start);
  let text = '';
  let at = start + 1;
  for (; at < line.length && line[at] !== mark; at += 1) {
    if (line[at] !== '\\' || at + 1 >= line.length) {
      text += line.charAt(at);
      continue;
    }
    at += 1;
    const next = line.charAt(at);
    text += next === mark || next === '\\' ? next : `\\${next}`;
  }
  return { text, end: Math.min(at + 1, line.length) };
}

function upToBlank(line: string, start: number): Field {
  let end = start;
  while (end < line.length && !isBlank(line.charAt(end))) end += 1;
  return { text: line.slice(start, end), end };
}

function afterBlanks(line: string, from: number): number {
  let at = from;
  while (at < line.length && isBlank(line.charAt(at))) at += 1;
  return at;
}

const isBlank = (character: string): boolean => character === ' ' || character === '\t';
