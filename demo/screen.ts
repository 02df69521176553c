import { styleText } from 'node:util';
import { wrapCommand, wrapText } from './wrap.ts';

/** What the demo knows of one token while it runs. */
export interface Row {
  readonly name: string;
  readonly way: string;
  readonly renewals: number;
  readonly checked: number;
  readonly expiresAt: number | undefined;
  readonly note: string;
}

type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

/** On a terminal a table that is drawn anew below the lines that were said; in a pipe the lines alone. */
export class Screen {
  readonly #live = process.stdout.isTTY === true;
  readonly #start = performance.now();
  #rows: readonly Row[] = [];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  paint(colour: Colour, text: string): string {
    return this.#live && process.env['NO_COLOR'] === undefined ? styleText(colour, text) : text;
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
    this.#keep(this.paint('bold', wrapCommand(words, this.#columns())));
  }

  /** A line with the seconds since the start in front. */
  happened(text: string): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1).padStart(5);
    this.say(`${this.paint('dim', `${seconds} s`)}  ${text}`, ' '.repeat(9));
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    if (this.#live && this.#timer === undefined) {
      this.#timer = setInterval(() => {
        this.#erase();
        this.#draw();
      }, 250);
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#erase();
    this.#rows = [];
  }

  /** What reads a pipe wants whole lines. */
  #columns(): number {
    return this.#live ? process.stdout.columns : Number.POSITIVE_INFINITY;
  }

  #keep(text: string): void {
    this.#erase();
    process.stdout.write(`${text}\n`);
    this.#draw();
  }

  #draw(): void {
    if (!this.#live || this.#rows.length === 0) return;
    const lines = [
      '',
      this.paint('dim', line(['TOKEN', 'HOW', 'RENEWED', 'CHECKED', 'LEFT', ''])),
      ...this.#rows.map((row) => this.#row(row)),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  #row({ name, way, renewals, checked, expiresAt, note }: Row): string {
    const left = expiresAt === undefined ? undefined : (expiresAt - Date.now()) / 1000;
    const shown = left === undefined ? '-' : left <= 0 ? 'none' : `${left.toFixed(0)} s`;
    const colour: Colour = left === undefined || left <= 0 ? 'red' : left < 2 ? 'yellow' : 'green';
    return this.paint(colour, line([name, way, `${renewals}`, `${checked}`, shown, note]));
  }

  #erase(): void {
    if (this.#drawn > 0) process.stdout.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }
}

const widths = [10, 24, 8, 8, 6, 20];
const line = (cells: readonly string[]): string =>
  cells
    .map((cell, n) => cell.padEnd(widths[n] ?? 0))
    .join(' ')
    .trimEnd();
