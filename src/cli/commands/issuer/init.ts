import { Option } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import type { InitOptions } from '../../issuer-init-answer.ts';
import { dirOption, withNewIssuerOptions } from '../../issuer-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('init')
    .description('Make an issuer: its directory, its settings with what may be signed, and its first key.')
    .addOption(dirOption());
  withNewIssuerOptions(command)
    .addOption(new Option('--algorithm <NAME>', 'of the first key').choices(['ES256', 'RS256']).default('ES256'))
    .action(
      run(async (context, options: InitOptions) => {
        const { initIssuer } = await import('../../issuer-init-answer.ts');
        return await initIssuer(context, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep issuer init --issuer https://tokens.example.org/vo', does: 'for tokens to submit jobs with' },
    {
      line: "tokeep issuer init --issuer https://tokens.example.org/vo --scope 'storage.read:/vo storage.modify:/vo' --audience https://storage.example.org",
      does: 'for tokens to one storage',
    },
  );
};
