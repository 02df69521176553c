/** Something in an ini file with its place; lines and columns count from 1. */
interface Spot {
  readonly line: number;
  readonly column: number;
}
export interface IniOption extends Spot {
  /** In lower case, as Python keeps it. */
  readonly name: string;
  /** Before interpolation; lines of a continued value are joined by line feeds. */
  readonly value: string;
  readonly valueAt: Spot;
}
export interface IniSection extends Spot {
  readonly header: string;
  readonly options: ReadonlyMap<string, IniOption>;
}
interface IniProblem extends Spot {
  readonly message: string;
  /** The header of the section that cannot be relied on because of it. */
  readonly header: string | undefined;
}
export interface IniFile {
  /** The `[DEFAULT]` options, which every section inherits. */
  readonly defaults: ReadonlyMap<string, IniOption>;
  readonly sections: readonly IniSection[];
  readonly problems: readonly IniProblem[];
}

interface OpenOption extends Spot {
  readonly name: string;
  readonly valueAt: Spot;
  readonly lines: string[];
}
interface OpenSection extends Spot {
  readonly header: string;
  readonly options: Map<string, OpenOption>;
}

const defaultHeader = 'DEFAULT';

/**
 * Reads an ini file by the rules of Python's `configparser.ConfigParser()` as it is by default: `=` and `:` separate, `#` and
 * `;` start a comment only at the start of a line, a line that is indented deeper goes on with the value before it, also over
 * empty lines, option names are lower-cased, and nothing may stand twice. Where Python stops at the first problem, this goes
 * on and collects them.
 */
export function parseIni(text: string): IniFile {
  const reader = new IniReader();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries())
    reader.take(line, index + 1);
  return reader.result();
}

class IniReader {
  readonly #defaults: OpenSection = { header: defaultHeader, line: 1, column: 1, options: new Map() };
  readonly #sections = new Map<string, OpenSection>();
  readonly #problems: IniProblem[] = [];
  #section: OpenSection | undefined;
  #option: OpenOption | undefined;
  #indent = 0;

  take(line: string, number: number): void {
    const content = line.trim();
    if (content.startsWith('#') || content.startsWith(';')) return;
    if (content === '') {
      // An empty line does not end a value: Python keeps it as part of what may follow.
      this.#option?.lines.push('');
      return;
    }
    const indent = line.search(/\S/);
    if (this.#option !== undefined && indent > this.#indent) {
      this.#option.lines.push(content);
      return;
    }
    this.#indent = indent;
    const spot = { line: number, column: indent + 1 };
    const header = /^\[(.+)\]/.exec(content)?.[1];
    if (/^\[[^=:]*$/.test(content) && header === undefined) this.#openTorn(content, spot);
    else if (header === undefined) this.#takeOption(content, spot);
    else this.#openSection(header, spot);
  }

  /** What follows belongs to the section that was meant, and is not looked at. */
  #openTorn(content: string, spot: Spot): void {
    const header = content.slice(1).trim();
    this.#option = undefined;
    this.#section = { header, ...spot, options: new Map() };
    this.#problems.push({ ...spot, header, message: 'this section header has no ] at its end' });
  }

  #openSection(header: string, spot: Spot): void {
    this.#option = undefined;
    if (header === defaultHeader) {
      this.#section = this.#defaults;
      return;
    }
    const before = this.#sections.get(header);
    if (before !== undefined) {
      this.#problems.push({
        ...spot,
        header,
        message: `section [${header}] stands here twice, first at line ${before.line}`,
      });
    }
    this.#section = before ?? { header, ...spot, options: new Map() };
    this.#sections.set(header, this.#section);
  }

  #takeOption(content: string, spot: Spot): void {
    const header = this.#section?.header;
    if (this.#section === undefined) {
      this.#problems.push({ ...spot, header, message: 'this line stands before the first [section]' });
      return;
    }
    const separator = content.search(/[=:]/);
    const left = content.slice(0, Math.max(separator, 0)).trimEnd();
    const right = content.slice(separator + 1).trimStart();
    if (left === '') {
      this.#option = undefined;
      this.#problems.push({ ...spot, header, message: 'this line is not of the form "key = value"' });
      return;
    }
    const name = left.toLowerCase();
    const valueAt = { line: spot.line, column: spot.column + content.length - right.length };
    const before = this.#section.options.get(name);
    const option = { name, ...spot, valueAt, lines: [right] };
    this.#option = option;
    if (before === undefined) this.#section.options.set(name, option);
    else
      this.#problems.push({
        ...spot,
        header,
        message: `"${name}" stands twice in [${header}], first at line ${before.line}`,
      });
  }

  result(): IniFile {
    return {
      defaults: closed(this.#defaults).options,
      sections: [...this.#sections.values()].map(closed),
      problems: this.#problems,
    };
  }
}

function closed({ options, ...section }: OpenSection): IniSection {
  const whole = [...options].map(
    ([name, { lines, ...option }]) => [name, { ...option, value: lines.join('\n').trimEnd() }] as const,
  );
  return { ...section, options: new Map(whole) };
}
