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
  const lines = examples.map(({ line, does }) => `  $ ${line}\n      ${does}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

export const examplesFor = (command: Command): readonly Example[] => examplesOf.get(command) ?? [];

/** As it is typed: `tokeep issuer sign`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
