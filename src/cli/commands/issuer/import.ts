import { Option } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import type { ImportOptions } from '../../issuer-import-answer.ts';
import { dirOption, withNewIssuerOptions } from '../../issuer-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('import')
    .description('Take over a key that openssl or the scitokens tools made, with the kid that services know it by.')
    .addOption(dirOption())
    .requiredOption('--key <FILE>', 'the private key, in PEM form')
    .option('--kid <KID>', 'the kid that it is published under (default: its thumbprint, RFC 7638)')
    .option('--jwks <URL|FILE>', 'find the kid in the key set that it is published in')
    .option('--ca-file <FILE>', 'CAs to trust for --jwks instead of those of the system')
    .addOption(
      new Option('--as <STATE>', 'what it is here (default: signing if no key signs yet, else next)').choices([
        'signing',
        'next',
        'retired',
      ]),
    );
  withNewIssuerOptions(command).action(
    run(async (context, options: ImportOptions) => {
      const { importForeignKey } = await import('../../issuer-import-answer.ts');
      return await importForeignKey(context, options);
    }),
  );
  withExamples(
    command,
    {
      line: 'tokeep issuer import --issuer https://scitokens.org/ligo --key ligo.pem --kid c013',
      does: 'a new issuer here, with the key that it has signed with elsewhere',
    },
    {
      line: 'tokeep issuer import --key ligo.pem --jwks https://scitokens.org/ligo/oauth2/certs',
      does: 'the kid is the one of the published key',
    },
  );
};
