import tab, { type Complete, type Command as Completed } from '@bomb.sh/tab';
import type { Argument, Command, Option } from 'commander';
import { realWorld } from '../world/real-world.ts';
import { buildProgram } from './program.ts';
import { readConfig } from './read-config.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What can be offered for an operand that names something of the configuration. */
interface KnownNames {
  readonly wishes: readonly string[];
  readonly accounts: readonly string[];
}

/**
 * Answers what the completion script asks: `complete -- WORDS…`, the last one unfinished. Writes to stdout itself. What goes wrong
 * goes unsaid: a message in the middle of somebody's command line helps nobody.
 */
export async function complete(args: readonly string[], env: Env): Promise<void> {
  const words = args.slice(args[0] === '--' ? 1 : 0);
  const program = await buildProgram(() => async () => {}, { kind: 'all' });
  for (const option of program.options) addOption(tab, option);
  mirror(program, '', await knownNames(words, env));
  tab.parse([...words]);
}

async function knownNames(words: readonly string[], env: Env): Promise<KnownNames> {
  try {
    const at = words.indexOf('--config');
    const { config } = await readConfig({ ...realWorld(), env }, at < 0 ? undefined : words[at + 1]);
    return { wishes: [...config.wishes.keys()], accounts: [...config.accounts.keys()] };
  } catch {
    return { wishes: [], accounts: [] };
  }
}

function mirror(from: Command, path: string, names: KnownNames): void {
  for (const child of from.createHelp().visibleCommands(from)) {
    const childPath = `${path} ${child.name()}`.trim();
    const to = tab.command(childPath, child.summary() || child.description());
    for (const option of child.options) addOption(to, option);
    for (const argument of child.registeredArguments) {
      to.argument(argument.name(), (complete) => offer(argument, childPath, names, complete), argument.variadic);
    }
    mirror(child, childPath, names);
  }
}

function addOption(to: Completed, option: Option): void {
  const name = option.long?.slice(2);
  if (name === undefined || option.hidden) return;
  if (!option.required && !option.optional) to.option(name, option.description);
  else to.option(name, option.description, (complete) => offerAll(option.argChoices, complete));
}

function offer(argument: Argument, path: string, names: KnownNames, complete: Complete): void {
  offerAll(argument.argChoices, complete);
  if (argument.name() !== 'NAME') return;
  const known = /^(account|setup)/.test(path) ? names.accounts : names.wishes;
  offerAll(known, complete);
}

function offerAll(choices: readonly string[] | undefined, complete: Complete): void {
  for (const choice of choices ?? []) complete(choice, '');
}
