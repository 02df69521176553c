import { lengthArgument } from '../../arguments.ts';
import { type CommandModule, withExamples } from '../../command.ts';
import { dirOption } from '../../issuer-options.ts';
import type { SignOptions } from '../../issuer-sign-answer.ts';
import { severalTexts, severalWords } from '../../repeated-options.ts';

/** Prints one token, and nothing else, on stdout. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('sign')
    .description(
      'Sign a token, if the policy of the issuer allows it, and print it. Each one is a line in the audit log.',
    )
    .addOption(dirOption())
    .option('--subject <SUBJECT>', 'who it is about; `random` with --user for a name that tells nothing')
    .option('--user <USER>', 'with --subject random: the same user always gets the same name')
    .option('--audience <AUDIENCE>', 'the service it is for; repeatable', severalWords)
    .option('--everyone', 'a token that every service accepts, where the policy allows it')
    .option('--scope <SCOPES>', 'what it allows, separated by blanks; repeatable', severalWords)
    .option('--group <GROUP>', 'a group, the most specific one first; repeatable', severalWords)
    .option('--lifetime <LENGTH>', 'how long it lives, such as 10m; cut to what the policy allows', lengthArgument)
    .option(
      '--claim <NAME=JSON>',
      'a further claim; a value that is no JSON is taken as text; repeatable',
      severalTexts,
    )
    .option('--template <FILE>', 'yaml with subject, audience, everyone, scope, groups, lifetime, claims')
    .option('--output <FILE>', 'write it there, for you alone to read, instead of printing it')
    .action(
      run(async (context, options: SignOptions) => {
        const { signToken } = await import('../../issuer-sign-answer.ts');
        return await signToken(context, options);
      }),
    );
  withExamples(
    command,
    {
      line: "tokeep issuer sign --subject vofrontend-ce1 --audience ce1.example.org:9619 --scope 'compute.read compute.modify compute.create compute.cancel' --lifetime 1h --output ce1.token",
      does: 'to submit jobs to one compute entrypoint',
    },
    {
      line: 'tokeep issuer sign --template pilot.yaml --subject random --user alice',
      does: 'by a template, about somebody whom the services do not know by name',
    },
  );
};
