import { Fault } from '../fault/fault.ts';
import type { CliIo } from './io.ts';

/** Questions answered line by line, from a terminal or a pipe: the old dialogue of OSG's setup, which scripts feed. */
export interface LinePrompts extends Disposable {
  line(question: string): Promise<string>;
  /** On a terminal nothing is shown while it is typed. */
  hidden(question: string): Promise<string>;
}

const backspaces = new Set(['\u007f', '\b']);
const ctrl = { c: '\u0003', d: '\u0004', u: '\u0015' } as const;

/**
 * Reads as much as a question needs and keeps the rest for the next one, so that all answers may come at once. Questions go to
 * stderr. Throws Fault `usage` where the input ends before the answer.
 */
export function linePrompts(io: CliIo): LinePrompts {
  const { stdin } = io;
  const chunks = stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  const decoder = new TextDecoder();
  let held = '';

  async function more(question: string): Promise<void> {
    const { value, done } = await chunks.next();
    if (done === true) throw new Fault('usage', `the input ended where "${question.trim()}" was asked for`);
    held += typeof value === 'string' ? value : decoder.decode(value, { stream: true });
  }
  async function readLine(question: string): Promise<string> {
    while (!/[\r\n]/.test(held)) await more(question);
    const [line = ''] = held.split(/\r?\n|\r/, 1);
    held = held.slice(line.length).replace(/^(\r\n|\r|\n)/, '');
    return line;
  }
  async function readRaw(question: string): Promise<string> {
    for (;;) {
      const end = /[\r\n]/.exec(held);
      const typed = end === null ? held : held.slice(0, end.index);
      if (typed.includes(ctrl.c)) throw new Fault('usage', 'broken off; nothing was changed');
      if (end !== null) {
        held = held.slice(end.index + 1);
        return edited(typed);
      }
      if (typed.endsWith(ctrl.d)) throw new Fault('usage', `the input ended where "${question.trim()}" was asked for`);
      await more(question);
    }
  }
  const terminal = stdin as { setRawMode?: (on: boolean) => void; isTTY?: boolean; pause(): void };
  return {
    async line(question) {
      await io.stderr.write(question);
      return (await readLine(question)).trim();
    },
    async hidden(question) {
      if (terminal.isTTY !== true || terminal.setRawMode === undefined) {
        await io.stderr.write(question);
        return await readLine(question);
      }
      // Before the question is seen: nobody's first letter may be shown.
      terminal.setRawMode(true);
      try {
        await io.stderr.write(question);
        return await readRaw(question);
      } finally {
        terminal.setRawMode(false);
        await io.stderr.write('\n');
      }
    },
    [Symbol.dispose]() {
      // A terminal or pipe that is still open must not keep the process.
      stdin.destroy();
    },
  };
}

/** In raw mode the terminal does not edit: backspace and Ctrl-U are ours to do. */
function edited(typed: string): string {
  let text: string[] = [];
  for (const sign of typed) {
    if (backspaces.has(sign)) text.pop();
    else if (sign === ctrl.u) text = [];
    else text.push(sign);
  }
  return text.join('');
}
