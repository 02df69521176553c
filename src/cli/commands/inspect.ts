import { type CommandModule, withExamples } from '../command.ts';
import { addTokenOptions, refuseWords, type TokenOptions, whereTokensComeFrom } from '../token-options.ts';

/** Explains a token. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('inspect')
    .description(`Decode and explain a token: ${whereTokensComeFrom}. Verifies nothing.`)
    .usage('[options]')
    .argument('[NOTHING...]', 'a token is not taken from the command line, where others see it')
    .action(
      run(async (context, words: readonly string[], options: TokenOptions) => {
        refuseWords(words, 'inspect');
        const { inspect } = await import('../inspect-answer.ts');
        return await inspect(context, options);
      }),
    );
  addTokenOptions(command);
  withExamples(
    command,
    { line: 'tokeep inspect', does: 'the token that programs started here would find' },
    { line: 'tokeep inspect --token-file /run/tokeep/monitoring.token', does: 'the token in a file' },
    { line: 'tokeep get monitoring | tokeep inspect', does: 'the token from a pipe' },
  );
};
