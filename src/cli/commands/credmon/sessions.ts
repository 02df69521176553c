import { Option } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import type { SessionsOptions } from '../../credmon-web-sessions.ts';

const condorBin = () => new Option('--condor-bin <DIR>', 'where condor_config_val lies').default('/usr/bin');

export const register: CommandModule['register'] = (parent, run) => {
  const sessions = parent.command('sessions').description('The browsers that are logging in at the web login.');
  const list = sessions
    .command('list')
    .description('For whom, for which services, and since when.')
    .addOption(condorBin())
    .action(
      run(async (context, options: SessionsOptions) => {
        const { listSessions } = await import('../../credmon-web-sessions.ts');
        return await listSessions(context, options);
      }),
    );
  withExamples(list, { line: 'tokeep credmon sessions list', does: 'one line for each browser' });
  const end = sessions
    .command('end')
    .description('End every session of a user; their browsers begin anew with the link of condor_submit.')
    .argument('<USER>', 'the local user')
    .addOption(condorBin())
    .action(
      run(async (context, user: string, options: SessionsOptions) => {
        const { endSessions } = await import('../../credmon-web-sessions.ts');
        return await endSessions(context, user, options);
      }),
    );
  withExamples(end, { line: 'tokeep credmon sessions end alice', does: 'after alice lost her laptop' });
};
