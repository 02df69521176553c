import type { Millis } from '../../token/time.ts';
import { lengthArgument } from '../arguments.ts';
import { type CommandModule, withExamples } from '../command.ts';

interface GetOptions {
  readonly minLifetime?: Millis;
  readonly audience?: string;
  readonly scope?: string;
}

/** Prints one token, and nothing else, on stdout. fast-get.ts answers the plain case before this is loaded. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('get')
    .description('Print a token that lives at least as long as asked, renewing it first if needed.')
    .argument('<NAME>', 'which token of the configuration')
    .option('--min-lifetime <LENGTH>', 'how long it must live, such as 20m', lengthArgument)
    .option('--audience <AUDIENCE>', 'a token for this audience only; it is not kept')
    .option('--scope <SCOPES>', 'a token with these scopes only, separated by blanks; it is not kept')
    .action(
      run(async (context, name: string, options: GetOptions) => {
        const { get } = await import('../get-token.ts');
        return await get(context, name, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep get monitoring', does: 'the token of tokens.monitoring' },
    { line: 'tokeep get monitoring --min-lifetime 20m', does: 'one that lives for 20 minutes at least' },
    { line: 'tokeep get robot --scope storage.read:/', does: 'a narrower one, where the issuer gives it' },
  );
};
