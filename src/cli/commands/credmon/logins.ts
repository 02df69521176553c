import { Option } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import type { LoginsOptions } from '../../credmon-web-logins.ts';

const condorBin = () => new Option('--condor-bin <DIR>', 'where condor_config_val lies').default('/usr/bin');

export const register: CommandModule['register'] = (parent, run) => {
  const logins = parent
    .command('logins')
    .description('Who logs in for whom: the first login of a user for a service decides who may do so later.');
  const list = logins
    .command('list')
    .description('Whom each user logs in as, and who was refused last.')
    .addOption(condorBin())
    .action(
      run(async (context, options: LoginsOptions) => {
        const { listLogins } = await import('../../credmon-web-logins.ts');
        return await listLogins(context, options);
      }),
    );
  withExamples(list, { line: 'tokeep credmon logins list', does: 'one line for each user and service' });
  const allow = logins
    .command('allow')
    .description('Let the one who was refused last log in from now on, in place of the one before.')
    .argument('<USER>', 'the local user')
    .argument('<SERVICE>', 'the name in use_oauth_services, without handle')
    .argument('[SUBJECT]', 'who it has to be, as the list has it; else nothing is changed')
    .addOption(condorBin())
    .action(
      run(async (context, user: string, service: string, subject: string | undefined, options: LoginsOptions) => {
        const { allowLogin } = await import('../../credmon-web-logins.ts');
        return await allowLogin(context, { user, service, subject }, options);
      }),
    );
  withExamples(
    allow,
    { line: 'tokeep credmon logins allow alice mytok', does: 'after alice got a new account there' },
    {
      line: 'tokeep credmon logins allow alice mytok 8f3c-alice',
      does: 'that one, even if somebody else was refused since',
    },
  );
  const forget = logins
    .command('forget')
    .description('Forget whom a user logs in as; the next login decides anew.')
    .argument('<USER>', 'the local user')
    .argument('<SERVICE>', 'the name in use_oauth_services, without handle')
    .addOption(condorBin())
    .action(
      run(async (context, user: string, service: string, options: LoginsOptions) => {
        const { forgetLogin } = await import('../../credmon-web-logins.ts');
        return await forgetLogin(context, user, service, options);
      }),
    );
  withExamples(forget, {
    line: 'tokeep credmon logins forget alice mytok',
    does: 'before the user name goes to somebody else',
  });
};
