import { Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { Runner } from './command.ts';
import { type CommandEntry, commandTable } from './command-table.ts';
import { globalOptionTable } from './global-options.ts';

/** Which command modules to load: one by name, all (for docs and completion), or none (for the help of the whole). */
export type Loading =
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'all' }
  | { readonly kind: 'none' };

/** The tree of commands. What is not loaded is there by name and summary only. */
export async function buildProgram(run: Runner, loading: Loading): Promise<Command> {
  const program = new Command('tokeep')
    .description(manifest.description)
    .version(manifest.version, '--version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [COMMAND]', 'explain a command')
    .usage('COMMAND [OPTIONS]')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false });
  for (const { long, value, does } of globalOptionTable) {
    program.addOption(new Option(value === undefined ? long : `${long} <${value}>`, does));
  }
  for (const entry of commandTable) await add(program, entry, run, loading);
  program.addHelpText('after', '\nEach command explains itself and has examples: tokeep COMMAND --help');
  return program;
}

async function add(program: Command, entry: CommandEntry, run: Runner, loading: Loading): Promise<void> {
  const wanted = loading.kind === 'all' || (loading.kind === 'one' && loading.name === entry.name);
  if (!wanted) {
    program.command(entry.name).summary(entry.summary);
    return;
  }
  const module = await entry.load();
  module.register(program, run);
  const command = program.commands.find((candidate) => candidate.name() === entry.name);
  if (command === undefined) throw new TypeError(`the module of ${entry.name} registers another command`);
  command.summary(entry.summary);
}
