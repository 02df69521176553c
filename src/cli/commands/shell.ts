import type { Millis } from '../../token/time.ts';
import { lengthArgument } from '../arguments.ts';
import { type CommandModule, withExamples } from '../command.ts';

/** Starts the person's shell with BEARER_TOKEN_FILE naming a private file that is kept fresh. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('shell')
    .description('Start a shell whose BEARER_TOKEN_FILE is kept fresh until you leave it.')
    .argument('[NAME]', 'which token of the configuration, if it has several')
    .option('--min-lifetime <LENGTH>', 'how long the token must live at any time, such as 20m', lengthArgument)
    .action(
      run(async (context, name: string | undefined, options: { readonly minLifetime?: Millis }) => {
        const { keptSession } = await import('../kept-session.ts');
        const shell = context.world.env['SHELL'] || '/bin/sh';
        return await keptSession(context, { name, argv: [shell], ...options });
      }),
    );
  withExamples(command, { line: 'tokeep shell monitoring', does: 'your shell, with the token of tokens.monitoring' });
};
