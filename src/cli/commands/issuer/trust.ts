import { type CommandModule, withExamples } from '../../command.ts';
import type { TrustSnippetOptions } from '../../issuer-trust-answer.ts';

/** What a site that wants to accept an issuer pastes into its configuration. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('trust')
    .description(
      "Print what a site pastes into its configuration to accept an issuer: the line of an HTCondor-CE's mapfile, the section of " +
        "XRootD's scitokens.cfg, and commands that test them. Asks no network.",
    )
    .argument('<URL>', 'the issuer, exactly as it stands in iss, with or without the last slash')
    .requiredOption('--user <USER>', 'the local user that its tokens become')
    .option('--for <SERVICES>', 'htcondor-ce, xrootd, or both with a comma between (default: both)')
    .option('--subject <SUBJECT>', 'this subject only (default: every one of the issuer)')
    .option('--audience <AUDIENCE>', 'the name of the service, as it stands in aud')
    .option('--base-path <PATH>', "where in the storage the issuer's paths begin", '/')
    .option('--scope <SCOPE>', 'a scope of its tokens, such as storage.read:/data, for the command that tries it')
    .action(
      run(async (context, url: string, options: TrustSnippetOptions) => {
        const { printTrust } = await import('../../issuer-trust-answer.ts');
        return await printTrust(context, url, options);
      }),
    );
  withExamples(
    command,
    {
      line: 'tokeep issuer trust https://vo.example --for htcondor-ce --user vopilot',
      does: 'every pilot of this collaboration becomes vopilot',
    },
    {
      line: 'tokeep issuer trust https://vo.example --for xrootd --user vo --base-path /data/vo --audience https://se.example:1094 --scope storage.read:/data',
      does: 'its tokens work below /data/vo; with a try that fits a token for /data',
    },
  );
};
