import { InvalidArgumentError } from 'commander';
import type { Millis } from '../../token/time.ts';
import { lengthArgument } from '../arguments.ts';
import { type CommandModule, withExamples } from '../command.ts';
import type { Outage } from '../forecast-answer.ts';

function outages(text: string, before: readonly Outage[] | undefined): readonly Outage[] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected ISSUER=LENGTH, such as https://issuer.example/=4d');
  return [...(before ?? []), { issuer: text.slice(0, at), length: lengthArgument(text.slice(at + 1)) }];
}

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('forecast')
    .description(
      'Run the schedule on a simulated clock and say which tokens run out, and when, if issuers are away. Asks nobody.',
    )
    .option('--down <ISSUER=LENGTH>', 'this issuer is away from now on for so long; may be repeated', outages)
    .option('--for <LENGTH>', 'how far to look', lengthArgument)
    .action(
      run(async (context, options: { readonly down?: readonly Outage[]; readonly for?: Millis }) => {
        const { showForecast } = await import('../forecast-answer.ts');
        return await showForecast(context, options.down ?? [], options.for);
      }),
    );
  withExamples(
    command,
    {
      line: 'tokeep forecast --down https://issuer.example/=4d',
      does: 'what a long weekend without that issuer costs',
    },
    { line: 'tokeep forecast --for 30d', does: 'which logins end within a month' },
  );
};
