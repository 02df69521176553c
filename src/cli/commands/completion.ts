import { Argument } from 'commander';
import { type CommandModule, withExamples } from '../command.ts';

/** Prints the script that makes a shell ask `tokeep complete -- WORDS…`; the answers come from completion-answer.ts. */
export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('completion')
    .description('Print the completion script of a shell, to be read by it.')
    .addArgument(new Argument('<SHELL>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(
      run(async ({ io }, shell: string) => {
        if (shell === 'bash') {
          const { bashCompletion } = await import('../bash-completion.ts');
          await io.stdout.write(bashCompletion);
          return undefined;
        }
        const { script } = await import('@bomb.sh/tab');
        script(shell, 'tokeep', 'tokeep');
        return undefined;
      }),
    );
  withExamples(
    command,
    {
      line: 'source <(tokeep completion bash)',
      does: 'completion for this bash; put the line into ~/.bashrc to keep it',
    },
    { line: 'tokeep completion fish > ~/.config/fish/completions/tokeep.fish', does: 'completion for fish' },
  );
};
