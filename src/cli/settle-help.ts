import type { Command } from 'commander';
import { commandWord } from './global-options.ts';

/**
 * `help COMMAND…` as `COMMAND… --help`, so that it is for commands of any depth. Where a word is no command, without `--help`: else
 * the help of what is above it would be shown, and nothing said of the word.
 */
export function settleHelp(program: Command, args: readonly string[]): readonly string[] {
  const first = commandWord(args);
  const words = first?.word === 'help' ? [...args.toSpliced(first.at, 1), '--help'] : args;
  return hasStrayWord(program, words) ? words.filter((word) => word !== '--help' && word !== '-h') : words;
}

function hasStrayWord(program: Command, words: readonly string[]): boolean {
  let [command, rest] = [program, words];
  while (command.commands.length > 0) {
    const next = commandWord(rest);
    if (next === undefined) return false;
    const child = command.commands.find((one) => one.name() === next.word);
    if (child === undefined) return next.word !== 'help';
    [command, rest] = [child, rest.slice(next.at + 1)];
  }
  return false;
}
