import type { Command } from 'commander';
import { Fault } from '../../fault/fault.ts';
import type { Millis } from '../../token/time.ts';
import { lengthArgument } from '../arguments.ts';
import { type CommandModule, withExamples } from '../command.ts';

/** Runs a command with BEARER_TOKEN_FILE naming a private file that is kept fresh; its exit status is ours. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('exec')
    .description('Run a command whose BEARER_TOKEN_FILE is kept fresh until it ends. Its exit status is ours.')
    .usage('[NAME] -- COMMAND…')
    .argument('[WORDS...]', 'which token of the configuration, if it has several; then -- and the command')
    .option('--min-lifetime <LENGTH>', 'how long the token must live at any time, such as 20m', lengthArgument)
    .action(
      run(async (context, words: readonly string[], options: { readonly minLifetime?: Millis }) => {
        const { keptSession } = await import('../kept-session.ts');
        return await keptSession(context, { ...split(words, commandWords(parent)), ...options });
      }),
    );
  withExamples(
    command,
    {
      line: 'tokeep exec monitoring -- gfal-ls davs://se.example.org:2880/',
      does: 'with the token of tokens.monitoring',
    },
    { line: 'tokeep exec -- ./transfer.sh', does: 'with the only token there is' },
  );
};

/** How many words stand after `--`. commander leaves the `--` out of the operands, and keeps the line as it was. */
function commandWords(parent: Command): number | undefined {
  const line = (parent as Command & { readonly rawArgs: readonly string[] }).rawArgs;
  const at = line.indexOf('--');
  return at < 0 ? undefined : line.length - at - 1;
}

function split(words: readonly string[], after: number | undefined) {
  const argv = after === undefined || after === 0 ? [] : words.slice(-after);
  const before = words.slice(0, words.length - argv.length);
  const hint = 'write: tokeep exec [NAME] -- COMMAND…';
  if (argv.length === 0) throw new Fault('usage', 'the command is missing, or the -- before it', { hint });
  if (before.length > 1) {
    throw new Fault('usage', 'one token at a time: there is more than one word before the --', { hint });
  }
  return { name: before[0], argv };
}
