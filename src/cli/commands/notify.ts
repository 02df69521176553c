import { type CommandModule, withExamples } from '../command.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent.command('notify').description('Messages to people.');
  const test = command
    .command('test')
    .description('Send a test message over every channel of the configuration, or those named.')
    .argument('[CHANNEL...]', 'only these entries of notify:')
    .action(
      run(async (context, names: readonly string[]) => {
        const { sendTest } = await import('../notify-test.ts');
        return await sendTest(context, names);
      }),
    );
  withExamples(test, { line: 'tokeep notify test', does: 'a message over each channel' });
};
