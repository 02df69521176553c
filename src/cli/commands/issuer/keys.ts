import type { Command } from 'commander';
import { type CommandModule, type Runner, withExamples } from '../../command.ts';
import type { RotateOptions } from '../../issuer-keys-answer.ts';
import { dirOption } from '../../issuer-options.ts';

/** The keys and their rotation. */
export const register: CommandModule['register'] = (parent, run) => {
  registerList(parent, run);
  registerRotate(parent, run);
};

function registerList(parent: Command, run: Runner): void {
  const command = parent
    .command('list')
    .description('The keys, what each is used for since when, and the next step of their rotation.')
    .addOption(dirOption())
    .action(
      run(async (context, options: { readonly dir?: string }) => {
        const { listKeys } = await import('../../issuer-keys-answer.ts');
        return await listKeys(context, options.dir);
      }),
    );
  withExamples(command, { line: 'tokeep issuer list', does: 'a few lines for each key' });
}

function registerRotate(parent: Command, run: Runner): void {
  const command = parent
    .command('rotate')
    .description(
      'Do the next step of the rotation, if its time has come: make the next key, let it sign, remove the old one.',
    )
    .addOption(dirOption())
    .option('--if-due', 'nothing to do yet is fine; for timers')
    .option(
      '--now',
      'in an incident, before its time: make a successor, let it sign, remove the key it relieved; needs --reason',
    )
    .option('--remove <KID>', 'with --now: remove this key, which signs no more or not yet')
    .option('--reason <TEXT>', 'why, for the audit log')
    .action(
      run(async (context, options: RotateOptions) => {
        const { rotate } = await import('../../issuer-keys-answer.ts');
        return await rotate(context, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep issuer rotate --if-due && tokeep issuer publish /var/www/html', does: 'once a day, by a timer' },
    {
      line: "tokeep issuer rotate --now --reason 'the key leaked'",
      does: 'a step at once, in an incident; publish after each',
    },
  );
}
