import { type CommandModule, withExamples } from '../command.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent.command('seal').description('The key that seals the stored secrets, and backups of them.');
  const rotate = command
    .command('rotate')
    .description(
      'Make a new sealing key and seal every secret anew, those of issuers too. May be broken off and repeated at any point.',
    )
    .action(
      run(async (context) => {
        const { rotateSeal } = await import('../seal-answers.ts');
        return await rotateSeal(context);
      }),
    );
  withExamples(rotate, { line: 'tokeep seal rotate', does: 'after somebody else may have seen the key' });
  const backup = command
    .command('backup')
    .description(
      'Write accounts and their secrets to a file, sealed with a passphrase that is asked for. Issuers are not in it.',
    )
    .argument('<FILE>', 'must not exist yet')
    .option('--passphrase-file <FILE>', 'read the passphrase from there instead of asking')
    .action(
      run(async (context, file: string, options: PassphraseOptions) => {
        const { writeBackup } = await import('../seal-answers.ts');
        return await writeBackup(context, file, options.passphraseFile);
      }),
    );
  withExamples(backup, { line: 'tokeep seal backup /root/tokeep.backup', does: 'asks for a passphrase, twice' });
  const restore = command
    .command('restore')
    .description('Take the accounts of a backup into the state. What the state has as new, or newer, stays.')
    .argument('<FILE>', 'made by `tokeep seal backup`')
    .option('--passphrase-file <FILE>', 'read the passphrase from there instead of asking')
    .action(
      run(async (context, file: string, options: PassphraseOptions) => {
        const { restoreFrom } = await import('../seal-answers.ts');
        return await restoreFrom(context, file, options.passphraseFile);
      }),
    );
  withExamples(restore, {
    line: 'tokeep seal restore /root/tokeep.backup',
    does: 'for example on a new machine',
  });
};

interface PassphraseOptions {
  readonly passphraseFile?: string;
}
