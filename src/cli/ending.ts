import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import { printable, printableJson } from '../observe/printable.ts';
import type { Output } from './io.ts';

const reportAt = 'please report it with the command and `tokeep --version`; add --verbose to see where it happened';

/** The reader of our output has gone (`tokeep status | head`): nothing to say, and nobody to say it to. */
export function isClosedPipe(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === 'EPIPE';
}

/** How somebody wants to be told that a command failed. */
export interface Telling {
  readonly verbose: boolean;
  /** With `--json`: where nothing of a result was printed yet, one document that says what went wrong. */
  readonly document?: NotedOutput;
}

/** Says on stderr what went wrong, in a sentence and a hint, and gives the exit code. */
export async function endWith(
  thrown: unknown,
  stderr: Output,
  { verbose, document }: Telling,
  program = 'tokeep',
): Promise<ExitCode> {
  if (isClosedPipe(thrown)) return exit.fine;
  const fault = asFault(thrown, 'the command stopped');
  const lines = [`${program}: ${printable(fault.message)}`];
  const hint = printableLines(fault.code === 'bug' ? reportAt : fault.hint);
  lines.push(...hint.map((line) => `  ${line}`));
  if (verbose) lines.push(...trace(thrown, fault));
  await stderr.write(`${lines.join('\n')}\n`).catch(() => {});
  if (document?.begun() === false) await document.write(`${printableJson(documentOf(fault, hint))}\n`).catch(() => {});
  return fault.exit;
}

/** A hint may have several lines, one of them a command. */
const printableLines = (hint: string | undefined): readonly string[] => hint?.split('\n').map(printable) ?? [];

const documentOf = ({ code, message, exit }: Fault, hint: readonly string[]): object => ({
  error: { code, message: printable(message), ...(hint.length === 0 ? {} : { hint: hint.join('\n') }), exit },
});

/** An output that knows whether anything was written to it. */
export interface NotedOutput extends Output {
  begun(): boolean;
}

export function noted(output: Output): NotedOutput {
  let begun = false;
  return {
    write(text) {
      begun = true;
      return output.write(text);
    },
    transient: (text) => output.transient(text),
    isTTY: output.isTTY,
    get columns() {
      return output.columns;
    },
    begun: () => begun,
  };
}

/** Places only, never messages: the message of a foreign error may quote what it was given. */
function trace(thrown: unknown, fault: Fault): readonly string[] {
  const cause = fault.cause === undefined ? [] : [`  because: ${printable(String(fault.cause))}`];
  const stack = thrown instanceof Error && fault.code === 'bug' ? (thrown.stack ?? '') : '';
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return [`  code: ${fault.code}`, ...cause, ...places];
}
