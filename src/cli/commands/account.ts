import { Option } from 'commander';
import { type CommandModule, withExamples } from '../command.ts';

interface LoginOptions {
  readonly flow?: 'device' | 'code';
}
interface RemoveOptions {
  readonly revoke?: true;
  readonly forget?: true;
}

export const register: CommandModule['register'] = (parent, run) => {
  const account = parent.command('account').description('Look after accounts and their logins.');
  const list = account
    .command('list')
    .description('What accounts there are, and how long their logins hold.')
    .action(
      run(async (context) => {
        const { listAccounts } = await import('../account-answers.ts');
        return await listAccounts(context);
      }),
    );
  withExamples(list, { line: 'tokeep account list', does: 'one line for each account' });
  const login = account
    .command('login')
    .description('Log in again: the old login is replaced when the new one is safe.')
    .argument('<NAME>', 'an account of the configuration')
    .addOption(new Option('--flow <FLOW>', 'how to log in (default: device)').choices(['device', 'code']))
    .action(
      run(async (context, name: string, options: LoginOptions) => {
        const { logInAgain } = await import('../account-answers.ts');
        return await logInAgain(context, name, options.flow);
      }),
    );
  withExamples(login, { line: 'tokeep account login dteam-robot', does: 'shows a code to log in with on any device' });
  const remove = account
    .command('remove')
    .description('Set an account aside that is no longer in the configuration; its login is kept until --forget.')
    .argument('<NAME>', 'an account that the configuration no longer has')
    .option('--revoke', 'have the issuer revoke its refresh token first')
    .option('--forget', 'delete what is stored of it, for good')
    .action(
      run(async (context, name: string, options: RemoveOptions) => {
        const { removeAccount } = await import('../account-answers.ts');
        return await removeAccount(context, name, {
          revoke: options.revoke === true,
          forget: options.forget === true,
        });
      }),
    );
  withExamples(remove, {
    line: 'tokeep account remove old-robot --revoke --forget',
    does: 'nothing of it is left, here or at the issuer',
  });
  const revoke = account
    .command('revoke')
    .description('Have the issuer revoke the refresh token of an account (RFC 7009), and delete it here.')
    .argument('<NAME>', 'an account with a login')
    .action(
      run(async (context, name: string) => {
        const { revokeAccount } = await import('../account-answers.ts');
        return await revokeAccount(context, name);
      }),
    );
  withExamples(revoke, { line: 'tokeep account revoke dteam-robot', does: 'after a copy of the state got lost' });
};
