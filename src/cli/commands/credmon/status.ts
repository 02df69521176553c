import { type CommandModule, withExamples } from '../../command.ts';
import type { CredmonStatusOptions } from '../../credmon-status.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('status')
    .description(
      'Say what is wrong with the credentials of jobs, whose and whose turn it is, and when their tokens end. Reads beside the credmon that runs.',
    )
    .argument('[USER/NAME...]', 'only these, as their files in the credential directory are called')
    .option('--nagios', 'one line and 0, 1, 2 or 3, as monitoring plug-ins answer')
    .option('--all', 'every token, also where there are many and all is well')
    .option('--condor-bin <DIR>', 'where condor_config_val lies', '/usr/bin')
    .action(
      run(async (context, names: readonly string[], options: CredmonStatusOptions) => {
        const { credmonStatus } = await import('../../credmon-status.ts');
        return await credmonStatus(context, names, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep credmon status', does: 'what is wrong, then the tokens of all users' },
    { line: 'tokeep credmon status alice/cms --json', does: 'all that is known of one credential, for programs' },
    { line: 'tokeep credmon status --nagios', does: 'for Nagios, Icinga and Checkmk' },
  );
};
