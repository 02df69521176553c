import { htmlText } from '../../world/html-text.ts';

/** A piece of a page. Only {@link html} makes one, so that no text gets into a page unescaped. */
export class Html {
  readonly #source: string;

  private constructor(source: string) {
    this.#source = source;
  }

  static fromTemplate(strings: TemplateStringsArray, parts: readonly Part[]): Html {
    return new Html(strings.reduce((page, literal, index) => page + sourceOf(parts[index - 1]) + literal));
  }

  toString(): string {
    return this.#source;
  }
}

type Part = string | number | Html | readonly Html[] | undefined;

/** A page, or a piece of one: what is put in is shown as text, unless it is a piece (or a list of them) itself; undefined is left out. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  Html.fromTemplate(strings, parts);

function sourceOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'string' || typeof part === 'number') return htmlText(visible(String(part)));
  return part.map(String).join('');
}

/** What a browser obeys or hides instead of showing it: control characters, formats such as those of direction, odd line ends, fillers. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

const visible = (text: string): string =>
  text.toWellFormed().replace(obeyed, (one) => `[U+${hex(one.codePointAt(0) ?? 0)}]`);

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');

/** Text of others, cut to a length that no page suffers from. */
export function foreign(text: string, longest = 200): string {
  const characters = [...text.slice(0, 4 * longest)];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : text;
}
