import { type CommandModule, withExamples } from '../../command.ts';
import type { MetaFilesOptions } from '../../meta-files-answer.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('restore-meta')
    .description(
      'Write the .meta files that the shipped credmon refreshes by, before it takes over again: the client of each OAuth2 credential, with its secret.',
    )
    .option('--dry-run', 'only say what would be written')
    .option('--condor-bin <DIR>', 'where condor_config_val lies', '/usr/bin')
    .action(
      run(async (context, options: MetaFilesOptions) => {
        const { restoreMetaFiles } = await import('../../meta-files-answer.ts');
        return await restoreMetaFiles(context, options);
      }),
    );
  withExamples(command, {
    line: 'tokeep condor restore-meta --dry-run',
    does: 'what going back to condor_credmon_oauth takes',
  });
};
