import { CommanderError } from 'commander';
import { Fault } from '../fault/fault.ts';
import { commandTable } from './command-table.ts';
import { commandWord } from './global-options.ts';

/**
 * What commander throws, in our words: `help` when a help text was the answer, `helpless` when it was shown because something is
 * missing; else a `usage` fault with the nearest option or command and where to read on.
 */
export function usageFault(thrown: unknown, args: readonly string[]): 'help' | 'helpless' | Fault | undefined {
  if (!(thrown instanceof CommanderError)) return undefined;
  if (thrown.exitCode === 0) return 'help';
  if (thrown.code === 'commander.help') return 'helpless';
  const sentence = thrown.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/s, ' (did you mean $1?)')
    .replace(/\. (Expected|Allowed)/, (_, word: string) => `, ${word.toLowerCase()}`)
    // What was given too much may be anything, a token too: only the count is said.
    .replace(/(but got \d+): .*$/s, '$1')
    .replace(/\.$/, '');
  return new Fault('usage', sentence, { hint: `see: tokeep ${known(args)}--help` });
}

function known(args: readonly string[]): string {
  const word = commandWord(args)?.word;
  return commandTable.some(({ name }) => name === word) ? `${word} ` : '';
}
