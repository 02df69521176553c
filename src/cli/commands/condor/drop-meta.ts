import { type CommandModule, withExamples } from '../../command.ts';
import type { MetaFilesOptions } from '../../meta-files-answer.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('drop-meta')
    .description(
      "Remove the .meta files that the shipped credmon left, where HTCondor's configuration has the same client: they hold its secret in each user's directory.",
    )
    .option('--dry-run', 'only say what would be removed')
    .option('--condor-bin <DIR>', 'where condor_config_val lies', '/usr/bin')
    .action(
      run(async (context, options: MetaFilesOptions) => {
        const { dropMetaFiles } = await import('../../meta-files-answer.ts');
        return await dropMetaFiles(context, options);
      }),
    );
  withExamples(command, {
    line: 'tokeep condor drop-meta --dry-run',
    does: 'which copies of client secrets lie in the credential directory',
  });
};
