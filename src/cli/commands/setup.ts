import { Option } from 'commander';
import { type CommandModule, withExamples } from '../command.ts';
import type { SetupOptions } from '../setup/plan.ts';

/** Lists may be repeated, or separated by blanks. */
const words = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(/\s+/).filter(Boolean),
];

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('setup')
    .description(
      'Make an account, log in, and write its section of the configuration. What the options leave open is asked on a terminal; without one, setup says which option is missing.',
    )
    .argument('<NAME>', 'the name the account will have')
    .option('--issuer <URL>', 'the issuer')
    .option('--client-id <ID>', 'a client that exists already (else one is registered)')
    .option('--client-secret-file <FILE>', 'its secret; without it, it is a public client')
    .option('--manual', 'do not register a client, ask for its id and secret')
    .option('--client-credentials', 'a service of its own, nobody logs in; a trial token is fetched')
    .option('--refresh-token-file <FILE>', 'take over a refresh token')
    .option('--import-oidc-agent <FILE>', 'take over an account file of oidc-agent')
    .option('--pw-file <FILE>', 'the encryption password of the account file')
    .option('--scope <SCOPES>', 'scopes that tokens may have, separated by blanks', words)
    .option('--audience <AUDIENCES>', 'for whom the tokens are', words)
    .addOption(new Option('--flow <FLOW>', 'how to log in (default: device)').choices(['device', 'code']))
    .option('--initial-access-token-file <FILE>', 'lets a client register where not everybody may')
    .option('--ca-file <FILE>', 'CAs to trust for this issuer')
    .option('--user <NAME>', 'as root: to whom the state belongs (default: tokeep)')
    .option('--yes', 'write without asking')
    .action(
      run(async (context, name: string, options: SetupOptions) => {
        const { setUp } = await import('../setup/setup.ts');
        return await setUp(context, name, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep setup dteam-robot', does: 'asks for everything, registers a client, shows a code to log in with' },
    {
      line: 'tokeep setup pilot --client-credentials --issuer https://iam.example/ --client-id 7dee38a3 --client-secret-file /etc/tokeep/secrets/pilot --yes',
      does: 'asks for nothing',
    },
    {
      line: 'tokeep setup robot --import-oidc-agent ~/.config/oidc-agent/robot --pw-file robot.pw',
      does: 'takes an account of oidc-agent over; nobody has to log in again',
    },
  );
};
