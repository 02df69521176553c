import { type CommandModule, withExamples } from '../command.ts';

interface RenewOptions {
  readonly force?: true;
  readonly dryRun?: true;
}

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('renew')
    .description('Renew every token that is due, once. Safe to run at any time, also beside `tokeep run`.')
    .argument('[NAME...]', 'only these tokens')
    .option('--force', 'renew them whether due or not')
    .option('--dry-run', 'say what would be renewed, and why; ask no issuer')
    .action(
      run(async (context, names: readonly string[], options: RenewOptions) => {
        const { renew } = await import('../renew-pass.ts');
        return await renew(context, names, { force: options.force === true, dryRun: options.dryRun === true });
      }),
    );
  withExamples(
    command,
    { line: 'tokeep renew', does: 'one pass over all tokens, as a timer would do it' },
    { line: 'tokeep renew --dry-run', does: 'what is due, and why' },
    {
      line: 'tokeep renew --force monitoring',
      does: 'a new token now, for example after a scope was changed at the issuer',
    },
  );
};
