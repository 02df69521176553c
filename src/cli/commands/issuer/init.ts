import { Option } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import type { InitOptions } from '../../issuer-init-answer.ts';
import { dirOption, severalTexts, severalWords } from '../../issuer-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('init')
    .description('Make an issuer: its directory, its settings with what may be signed, and its first key.')
    .addOption(dirOption())
    .option('--issuer <URL>', 'the exact name, below which the keys will be published')
    .addOption(
      new Option('--profile <PROFILE>', 'by whose rules tokens are made')
        .choices(['wlcg', 'scitokens', 'at+jwt'])
        .default('wlcg'),
    )
    .addOption(
      new Option('--keys <HOME>', 'where private keys go: sealed into the database, or to files that only you can read')
        .choices(['sealed', 'file'])
        .default('sealed'),
    )
    .addOption(new Option('--algorithm <NAME>', 'of the first key').choices(['ES256', 'RS256']).default('ES256'))
    .option('--scope <SCOPES>', 'scopes that may be signed, and all below their paths; repeatable', severalWords)
    .option('--audience <AUDIENCE>', 'services that tokens may be for; * stands for any text; repeatable', severalWords)
    .option('--subject <SUBJECT>', 'who tokens may be about; * stands for any text; repeatable', severalTexts)
    .option('--group <GROUP>', 'groups that may be signed; repeatable', severalWords)
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
