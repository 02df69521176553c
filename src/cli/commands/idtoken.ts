import { Option } from 'commander';
import { lengthArgument } from '../arguments.ts';
import { type CommandModule, withExamples } from '../command.ts';
import type { CreateOptions, InspectOptions } from '../idtoken-answer.ts';
import { severalTexts } from '../repeated-options.ts';
import { refuseWords } from '../token-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const idtoken = parent
    .command('idtoken')
    .description('Make and read IDTOKENS, by which users and daemons of an HTCondor pool know each other.');
  const create = idtoken
    .command('create')
    .description(
      'Make an IDTOKEN with a signing key of the pool, as condor_token_create does. It is printed, or written to a file.',
    )
    .requiredOption('--identity <USER@DOMAIN>', 'what the bearer is to the pool')
    .requiredOption('--trust-domain <NAME>', 'TRUST_DOMAIN of the pool, to the letter')
    .option('--scope <LEVEL>', 'limit it to READ, WRITE, ADVERTISE_STARTD, …; may be given several times', severalTexts)
    .addOption(
      new Option('--lifetime <LENGTH>', 'how long it lives (default: 1d)')
        .argParser(lengthArgument)
        .conflicts('endless'),
    )
    .option('--endless', 'let it live until its key is removed or it is revoked')
    .option('--output <FILE>', 'write it there, readable by its owner only, instead of printing it')
    .action(
      run(async (context, options: CreateOptions) => {
        const { createIdtoken } = await import('../idtoken-answer.ts');
        return await createIdtoken(context, options);
      }),
    );
  const inspect = idtoken
    .command('inspect')
    .description(
      'Say of IDTOKENS who they are for, what they are limited to, and whether their key signed them, if it can be read here. ' +
        'From --token-file, else from standard input; a file may hold several, one a line.',
    )
    .usage('[options]')
    .argument('[NOTHING...]', 'a token is not taken from the command line, where others see it')
    .option('--token-file <FILE>', 'the tokens in this file; - is standard input')
    .action(
      run(async (context, words: readonly string[], options: InspectOptions) => {
        refuseWords(words, 'idtoken inspect');
        const { inspectIdtokens } = await import('../idtoken-answer.ts');
        return await inspectIdtokens(context, options);
      }),
    );
  for (const command of [create, inspect]) {
    command
      .option('--key-file <FILE>', 'the signing key, byte for byte as HTCondor keeps it')
      .option('--key-id <NAME>', 'the name of the key (default: POOL)')
      .option('--password-directory <DIR>', 'where keys lie by their names (default: /etc/condor/passwords.d)');
  }
  withExamples(
    create,
    {
      line: 'tokeep idtoken create --identity alice@pool.example --trust-domain pool.example --scope READ --scope WRITE --output alice.token',
      does: 'for ~/.condor/tokens.d of alice, good for a day',
    },
    {
      line: 'tokeep idtoken create --identity site-7@fe.example --trust-domain fe.example --key-id site-7 --scope READ --scope ADVERTISE_STARTD',
      does: 'for a pilot, with a key of its own that can be removed alone',
    },
  );
  withExamples(inspect, {
    line: 'tokeep idtoken inspect --token-file ~/.condor/tokens.d/alice',
    does: 'which key, which identity, which limits',
  });
};
