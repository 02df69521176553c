import { Option } from 'commander';
import { type CommandModule, withExamples } from '../command.ts';
import type { ExplainOptions } from '../explain-answer.ts';
import { severalTexts } from '../repeated-options.ts';
import { addTokenOptions, whereTokensComeFrom } from '../token-options.ts';
import { addTrustOptions } from '../trust-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('explain')
    .description(
      'Say why a service accepts or refuses a token: by the rules, and by what the releases of the service are known to do, with the ' +
        `line in its log and what would mend it. The token is taken ${whereTokensComeFrom}. With --jwks no network is needed. ` +
        'The exit code is 6 if a release refuses it, else 0, or 4 where the signature could not be compared. The answer can go into a ticket: it has no signature in it.',
    )
    .usage('--for SERVICE [options] ACTION [PATH]')
    .argument(
      '<ACTION>',
      'xrootd: read, list, stat, create, mkdir, modify, delete, rename, stage, poll; htcondor-ce: compute.read, compute.create, compute.modify, compute.cancel',
    )
    .argument('[PATH]', "the server's path, for xrootd")
    .addOption(
      new Option('--for <SERVICE>', 'whose answer is to be explained')
        .choices(['xrootd', 'htcondor-ce'])
        .makeOptionMandatory(),
    )
    .option('--release <VERSION>', 'one release only, by its own version or that of its libscitokens')
    .option(
      '--mapfile <PATH>',
      'mapfiles of the HTCondor-CE, or directories of them; may be given several times',
      severalTexts,
    )
    .addOption(
      new Option('--sent-as <HOW>', 'how the client hands the token to xrootd')
        .choices(['header', 'lower-case-scheme', 'lower-case-header', 'authz', 'access_token'])
        .default('header'),
    )
    .action(
      run(async (context, action: string, path: string | undefined, options: ExplainOptions) => {
        const { explainFor } = await import('../explain-answer.ts');
        return await explainFor(context, action, path, options);
      }),
    );
  addTrustOptions(addTokenOptions(command));
  withExamples(
    command,
    {
      line: 'tokeep explain --for xrootd read /store/data.root --issuer-config /etc/xrootd/scitokens.cfg',
      does: 'by the configuration of the server, for all its known releases',
    },
    {
      line: 'tokeep explain --for xrootd --release 5.5.3 --jwks keys.json create /store/user/new --token-file job.token',
      does: 'one release; with keys from a file, without the network',
    },
    {
      line: 'tokeep explain --for htcondor-ce --audience ce.example:9619 --mapfile /etc/condor-ce/mapfiles.d compute.create',
      does: 'whether jobs may be submitted to a CE of this name',
    },
  );
};
