import { type CommandModule, withExamples } from '../../command.ts';
import type { WebOptions } from '../../credmon-web.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('web')
    .description(
      'Serve the page where people log in so that their jobs get tokens: the link that condor_submit prints. Started as root it becomes TOKEEP_WEB_USER before it listens.',
    )
    .option('--condor-bin <DIR>', 'where condor_config_val lies', '/usr/bin')
    .option('-l, --log-file <FILE>', 'the log, instead of CREDMON_WEB_LOG (default: stderr)')
    .action(
      run(async (context, options: WebOptions) => {
        const { serveCredmonWeb } = await import('../../credmon-web.ts');
        return await serveCredmonWeb(context, options);
      }),
    );
  withExamples(command, {
    line: 'tokeep credmon web',
    does: 'serves CREDMON_WEB_PREFIX, on the address TOKEEP_WEB_LISTEN of the HTCondor configuration',
  });
};
