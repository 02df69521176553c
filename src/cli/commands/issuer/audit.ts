import { type CommandModule, withExamples } from '../../command.ts';
import type { AuditOptions } from '../../issuer-audit-answer.ts';
import { dirOption } from '../../issuer-options.ts';
import { severalTexts } from '../../repeated-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('audit')
    .description('Verify the log of everything that was signed, and say what is in it of a token or of a time.')
    .addOption(dirOption())
    .option('--jti <JTI>', 'of one token: for whom, where it went, how long it is good yet, what contains it')
    .option('--since <TIME>', 'the lines since then: a length such as 2d, or a time such as 2026-03-01T09:30:00Z')
    .option('--head <CHAIN:SEQ:HASH>', 'an end of the log that was written down earlier; repeatable', severalTexts)
    .action(
      run(async (context, options: AuditOptions) => {
        const { audit } = await import('../../issuer-audit-answer.ts');
        return await audit(context, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep issuer audit', does: 'is the log whole, and where does it end' },
    {
      line: 'tokeep issuer audit --jti 3f776538-e4c6-4781-86f2-b7c734684ae6',
      does: 'a token was found where it should not be',
    },
    { line: 'tokeep issuer audit --since 30d --json', does: 'for another program' },
  );
};
