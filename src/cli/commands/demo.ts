import { InvalidArgumentError } from 'commander';
import { type CommandModule, withExamples } from '../command.ts';
import type { DemoOptions } from '../demo/demo.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('demo')
    .description(
      'See it work: an issuer with a server, tokens that live for seconds, renewed and checked before your eyes, a new key. ' +
        'On this machine only, in a private directory; leaves nothing behind.',
    )
    .option('--seconds <N>', 'how long tokens are kept fresh, at the least', wholeSeconds, 25)
    .action(
      run(async (context, options: DemoOptions) => {
        const { demo } = await import('../demo/demo.ts');
        return await demo(context, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep demo', does: 'half a minute, without root, network or configuration' },
    { line: 'tokeep demo --seconds 300', does: 'for longer looks' },
  );
};

function wholeSeconds(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= 86_400))
    throw new InvalidArgumentError('Expected a number of seconds, at most a day');
  return value;
}
