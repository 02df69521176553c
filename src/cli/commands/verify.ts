import { type CommandModule, withExamples } from '../command.ts';
import { addTokenOptions, refuseWords, whereTokensComeFrom } from '../token-options.ts';
import { addTrustOptions } from '../trust-options.ts';
import type { VerifyOptions } from '../verify-answer.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('verify')
    .description(
      `Say whether a token is good: signed by a trusted issuer, for this service, valid now. The token is taken ${whereTokensComeFrom}. ` +
        'Clocks may differ by a minute for nbf and iat, never for exp. ' +
        'The exit code is 0 or 6, and 4 where the keys of the issuer could not be had.',
    )
    .usage('[options]')
    .argument('[NOTHING...]', 'a token is not taken from the command line, where others see it')
    .action(
      run(async (context, words: readonly string[], options: VerifyOptions) => {
        refuseWords(words, 'verify');
        const { verify } = await import('../verify-answer.ts');
        return await verify(context, options);
      }),
    );
  addTrustOptions(addTokenOptions(command));
  withExamples(
    command,
    { line: 'tokeep verify', does: 'the token that programs started here would find, whoever signed it' },
    {
      line: 'tokeep verify --issuer https://issuer.example --audience https://se.example:1094',
      does: 'as a service of this name would that trusts this issuer',
    },
    {
      line: 'tokeep verify --token-file job.token --issuer-config /etc/xrootd/scitokens.cfg',
      does: 'by the issuers and audiences of an XRootD server',
    },
    {
      line: 'tokeep get monitoring | tokeep verify --jwks keys.json --issuer https://issuer.example',
      does: 'with keys from a file, without the network',
    },
  );
};
