import { setFlagsFromString } from 'node:v8';
import { InvalidArgumentError } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import type { CredmonOptions } from '../../credmon-run.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    // Its options are those of `tokeep credmon`, and of no other verb.
    .command('run', { isDefault: true })
    .description(
      "Keep the tokens of HTCondor's jobs fresh until told to stop, in place of condor_credmon_oauth: it takes the same options and reads the same configuration. " +
        'SIGHUP, which condor_credd sends, makes it look at once. As a knob, which takes a plain path: tokeep-credmon.',
    )
    .option('--condor-bin <DIR>', 'where condor_config_val lies', '/usr/bin')
    .option('-c, --cred-dir <DIR>', 'the credential directory, instead of SEC_CREDENTIAL_DIRECTORY_OAUTH')
    .option('-l, --log-file <FILE>', 'the log, instead of CREDMON_OAUTH_LOG')
    .option(
      '-n, --name <NAME>',
      'its name among the daemons of the master, for NAME_LOG (default: CREDMON_OAUTH)',
      daemonName,
    )
    .option('-d, --debug', 'log more')
    .option('-v, --to-stderr', 'log to stderr as well; --verbose of the shipped credmon')
    .action(
      run(async (context, options: CredmonOptions) => {
        // It sleeps nearly always and lives for months.
        setFlagsFromString('--optimize-for-size');
        const { keepCredentials } = await import('../../credmon-run.ts');
        return await keepCredentials(context, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep credmon -v', does: 'in the foreground, to see what it does' },
    {
      line: 'tokeep-credmon',
      does: 'as condor_master starts it, by CREDMON_OAUTH = /usr/sbin/tokeep-credmon',
    },
  );
};

function daemonName(name: string): string {
  if (/^\w+$/.test(name)) return name;
  throw new InvalidArgumentError('A name has letters, digits and _ only.');
}
