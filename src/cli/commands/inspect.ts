import { Fault } from '../../fault/fault.ts';
import { type CommandModule, withExamples } from '../command.ts';
import type { InspectOptions } from '../inspect-answer.ts';

/** Explains a token. Never from an argument: the command line is seen by all users of the machine and kept in histories. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('inspect')
    .description(
      'Decode and explain a token: from --token-file, else from standard input if it is a pipe or file, else the one that ' +
        'WLCG token discovery finds; on a terminal it is asked for, hidden, if there is none. Verifies nothing.',
    )
    .usage('[options]')
    .argument('[NOTHING...]', 'a token is not taken from the command line, where others see it')
    .option('--token-file <FILE>', 'the token in this file; - is standard input, or a hidden prompt on a terminal')
    .option('--strict', 'refuse a discovered token whose file others may use, as other clients do')
    .action(
      run(async (context, words: readonly string[], options: InspectOptions) => {
        if (words.length > 0) throw onTheCommandLine(words);
        const { inspect } = await import('../inspect-answer.ts');
        return await inspect(context, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep inspect', does: 'the token that programs started here would find' },
    { line: 'tokeep inspect --token-file /run/tokeep/monitoring.token', does: 'the token in a file' },
    { line: 'tokeep get monitoring | tokeep inspect', does: 'the token from a pipe' },
  );
};

/** Does not quote the words, since they are likely the token. */
function onTheCommandLine(words: readonly string[]): Fault {
  const token = words.some((word) => word.length > 40 || word.startsWith('eyJ'));
  const sentence = token
    ? 'a token is not taken from the command line: all users of this machine see it there, and the shell keeps it'
    : 'inspect takes no argument, only --token-file FILE';
  const hint = 'paste it hidden: tokeep inspect --token-file -\nor from a file: tokeep inspect --token-file FILE';
  return new Fault('usage', sentence, { hint });
}
