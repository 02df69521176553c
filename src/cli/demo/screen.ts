import type { Paint } from '../context.ts';
import type { Output } from '../io.ts';
import { wrapCommand, wrapText } from './wrap.ts';

/** What a demonstration knows of one token while it runs. */
export interface Row {
  readonly name: string;
  readonly way: string;
  readonly renewals: number;
  readonly checked: number;
  readonly expiresAt: number | undefined;
  readonly note: string;
}

/** On a terminal a table that is drawn anew below the lines that were said; in a pipe the lines alone. */
export class Screen {
  readonly paint: Paint;
  readonly #out: Output;
  readonly #start = performance.now();
  readonly #lost = new AbortController();
  #rows: readonly Row[] = [];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: Output, paint: Paint) {
    this.#out = out;
    this.paint = paint;
  }

  /** Fires when nobody reads any more; the reason is what writing said. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Lines that stay. */
  say(text: string, indent = '  '): void {
    const columns = this.#columns();
    this.#keep(
      text
        .split('\n')
        .map((line) => wrapText(line, { columns, indent }))
        .join('\n'),
    );
  }

  /** A command line that stays. */
  command(words: readonly string[]): void {
    this.#keep(this.paint.bold(wrapCommand(words, this.#columns())));
  }

  /** A line with the seconds since the start in front. */
  happened(text: string): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1).padStart(5);
    this.say(`${this.paint.dim(`${seconds} s`)}  ${text}`, ' '.repeat(9));
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    if (this.#out.isTTY && this.#timer === undefined) {
      this.#timer = setInterval(() => {
        this.#write(`${this.#wiped()}${this.#table()}`);
      }, 250);
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#write(this.#wiped());
    this.#rows = [];
  }

  /** What reads a pipe wants whole lines. */
  #columns(): number {
    return this.#out.isTTY ? this.#out.columns : Number.POSITIVE_INFINITY;
  }

  #keep(text: string): void {
    this.#write(`${this.#wiped()}${text}\n${this.#table()}`);
  }

  #write(text: string): void {
    if (text === '') return;
    this.#out.write(text).catch((thrown: unknown) => this.#lost.abort(thrown));
  }

  #table(): string {
    if (!this.#out.isTTY || this.#rows.length === 0) return '';
    const lines = [
      '',
      this.paint.dim(line(['TOKEN', 'HOW', 'RENEWED', 'CHECKED', 'LEFT', ''])),
      ...this.#rows.map((row) => this.#row(row)),
    ];
    this.#drawn = lines.length;
    return `${lines.join('\n')}\n`;
  }

  #row({ name, way, renewals, checked, expiresAt, note }: Row): string {
    const left = expiresAt === undefined ? undefined : (expiresAt - Date.now()) / 1000;
    const shown = left === undefined ? '-' : left <= 0 ? 'none' : `${left.toFixed(0)} s`;
    const { bad, warn, good } = this.paint;
    const colour = left === undefined || left <= 0 ? bad : left < 2 ? warn : good;
    return colour(line([name, way, `${renewals}`, `${checked}`, shown, note]));
  }

  /** What takes the table away again, also where a terminal has echoed a key behind it. */
  #wiped(): string {
    const lines = this.#drawn;
    this.#drawn = 0;
    return lines === 0 ? '' : `\r\u001b[${lines}A\u001b[0J`;
  }
}

const widths = [10, 24, 8, 8, 6, 20];
const line = (cells: readonly string[]): string =>
  cells
    .map((cell, n) => cell.padEnd(widths[n] ?? 0))
    .join(' ')
    .trimEnd();
