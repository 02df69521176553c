import type { Command } from 'commander';
import type { Work } from './context.ts';

/**
 * Turns the work of a command into an action for commander: opens the context, does the work, closes the context.
 * The arguments are commander's: the operands, then the command's own options.
 *
 *     parent.command('list').action(run(async (context) => { … return exit.fine; }))
 */
export type Runner = <Arguments extends readonly unknown[]>(
  work: Work<Arguments>,
) => (...args: [...Arguments, Command]) => Promise<void>;

/**
 * What each file under commands/ exports. The module itself imports only what is light; what is heavy (zod, kysely, prompts,
 * engines) is imported by the work, so that `--help` and completion stay fast.
 */
export interface CommandModule {
  /** Adds the command, with its options, sub-commands and examples, to `parent`. */
  register(parent: Command, run: Runner): void;
}

export interface Example {
  readonly line: string;
  readonly does: string;
}

const examplesOf = new WeakMap<Command, readonly Example[]>();

/** Puts examples below a command's help and into docs/cli.md. Every command that does something has at least one. */
export function withExamples(command: Command, ...examples: readonly [Example, ...Example[]]): Command {
  examplesOf.set(command, examples);
  const lines = examples.map(({ line, does }) => `  $ ${wrapped(line)}\n      ${does}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** What a terminal of 80 columns leaves for a line of an example. */
const width = 70;

/** A longer line goes on after a backslash, before one of its options, so that it can be copied as it is shown. */
function wrapped(example: string): string {
  const lines: string[] = [];
  for (const part of example.split(/ (?=--[a-z])/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + part.length >= width) lines.push(part);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return lines.join(' \\\n        ');
}

export const examplesFor = (command: Command): readonly Example[] => examplesOf.get(command) ?? [];

/** As it is typed: `tokeep issuer sign`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
