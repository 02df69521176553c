import { stripVTControlCharacters } from 'node:util';

export interface Wrapping {
  readonly columns: number;
  /** What the second and further lines begin with. */
  readonly indent: string;
  /** What a line that goes on ends with, such as the backslash of a shell. */
  readonly goesOn?: string;
}

/** Breaks a line at its blanks so that it fits. */
export function wrapText(text: string, wrapping: Wrapping): string {
  return wrap(text.match(/ *[^ ]+/g) ?? [], wrapping);
}

/**
 * A shell command of these words, which may hold blanks in quotes; it can be pasted however many lines it has. An option and its value
 * stay on one line.
 */
export function wrapCommand(words: readonly string[], columns: number): string {
  const parts = ['$'];
  for (const [at, each] of words.entries()) {
    const isValue = words[at - 1]?.startsWith('--') === true && !each.startsWith('-');
    if (isValue) parts.push(`${parts.pop()} ${each}`);
    else parts.push(` ${each}`);
  }
  return wrap(parts, { columns, indent: '    ', goesOn: ' \\' });
}

/** A part that is longer than a line stays whole; colours count for nothing. */
function wrap(parts: readonly string[], { columns, indent, goesOn = '' }: Wrapping): string {
  if (width(parts.join('')) <= columns) return parts.join('');
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && width(line + part) > columns - goesOn.length) {
      lines.push(line + goesOn);
      line = indent + part.trimStart();
    } else {
      line += part;
    }
  }
  return [...lines, line].join('\n');
}

const width = (text: string): number => stripVTControlCharacters(text).length;
