import { type CommandModule, withExamples } from '../command.ts';
import type { StatusOptions } from '../status-answer.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('status')
    .description(
      'Say what is wrong and whose turn it is, when tokens end and are renewed, and when logins end. The exit code tells the worst.',
    )
    .argument('[NAME...]', 'only these tokens')
    .option('--nagios', 'one line and 0, 1, 2 or 3, as monitoring plug-ins answer')
    .option('--all', 'every token, also where there are many and all is well')
    .action(
      run(async (context, names: readonly string[], options: StatusOptions) => {
        const { status } = await import('../status-answer.ts');
        return await status(context, names, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep status', does: 'what is wrong, then the tokens' },
    { line: 'tokeep status --json monitoring', does: 'all that is known of one token, for programs' },
    { line: 'tokeep status --nagios', does: 'for Nagios, Icinga and Checkmk' },
  );
};
