import type { CanOptions } from '../can-answer.ts';
import { type CommandModule, withExamples } from '../command.ts';
import { addTokenOptions, whereTokensComeFrom } from '../token-options.ts';
import { addTrustOptions } from '../trust-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('can')
    .description(
      'Say whether a token lets its bearer do something: verified as by `tokeep verify`, then by its scopes, strictly after its ' +
        `own profile. The token is taken ${whereTokensComeFrom}. The exit code is 0 or 6, and 4 where the keys of the issuer could not be had.`,
    )
    .usage('[options] ACTION [PATH]')
    .argument(
      '<ACTION>',
      'read, list, stat, create, mkdir, modify, delete, rename, stage, poll; compute.read, compute.create, compute.modify, compute.cancel',
    )
    .argument('[PATH]', "the server's path, for storage; with / at its end a directory")
    .action(
      run(async (context, action: string, path: string | undefined, options: CanOptions) => {
        const { can } = await import('../can-answer.ts');
        return await can(context, action, path, options);
      }),
    );
  addTrustOptions(addTokenOptions(command));
  withExamples(
    command,
    { line: 'tokeep can read /store/data.root', does: 'the token that programs started here would find' },
    {
      line: 'tokeep can create /store/user/new --token-file job.token --issuer-config /etc/xrootd/scitokens.cfg',
      does: 'below the base paths of an XRootD server',
    },
    {
      line: 'tokeep can compute.create --issuer https://issuer.example --jwks keys.json --audience ce.example:9619',
      does: 'submit jobs; with keys from a file, without the network',
    },
  );
};
