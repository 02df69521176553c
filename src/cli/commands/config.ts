import type { Command } from 'commander';
import { type CommandModule, type Runner, withExamples } from '../command.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent.command('config').description('Check, show and convert the configuration.');
  registerCheck(command, run);
  registerShow(command, run);
  registerConvert(command, run);
  registerSystemd(command, run);
  registerSchema(command, run);
};

function registerCheck(parent: Command, run: Runner): void {
  const command = parent
    .command('check')
    .description('Say everything that is wrong in the configuration, each with file, line and column.')
    .option('--online', 'also ask each issuer what it offers; nothing is spent')
    .action(
      run(async (context, options: { readonly online?: true }) => {
        const { checkConfig } = await import('../config-answers.ts');
        return await checkConfig(context, options.online === true);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep config check', does: 'the file itself' },
    {
      line: 'tokeep config check --online',
      does: 'and whether each issuer is there, offers what is asked, and has our time',
    },
  );
}

function registerShow(parent: Command, run: Runner): void {
  const command = parent
    .command('show')
    .description('Print the configuration as it is understood, rows filled in, defaults written out, secrets hidden.')
    .action(
      run(async (context) => {
        const { showConfig } = await import('../config-answers.ts');
        return await showConfig(context);
      }),
    );
  withExamples(command, { line: 'tokeep config show', does: 'what tokeep works with' });
}

function registerConvert(parent: Command, run: Runner): void {
  const command = parent
    .command('convert')
    .description("Turn OSG's config.ini into a tokeep configuration that does the same, on stdout.")
    .argument('[INI]', 'the file to convert (default: the one that is found)')
    .action(
      run(async (context, ini: string | undefined) => {
        const { convertConfig } = await import('../config-answers.ts');
        return await convertConfig(context, ini);
      }),
    );
  withExamples(command, {
    line: 'tokeep config convert /etc/osg/token-renewer/config.ini > /etc/tokeep/config.yaml',
    does: 'from the old format to the new one',
  });
}

function registerSystemd(parent: Command, run: Runner): void {
  const command = parent
    .command('systemd')
    .description(
      'Print a drop-in that lets the strict unit write to the places of the configured targets, and nowhere else.',
    )
    .option('--unit <UNIT>', 'the unit it is for', 'tokeep.service')
    .action(
      run(async (context, options: { readonly unit: string }) => {
        const { systemdDropIn } = await import('../config-answers.ts');
        return await systemdDropIn(context, options.unit);
      }),
    );
  withExamples(
    command,
    { line: 'mkdir -p /etc/systemd/system/tokeep.service.d', does: 'once: the directory of its drop-ins' },
    {
      line: 'tokeep config systemd > /etc/systemd/system/tokeep.service.d/tokeep-paths.conf',
      does: 'after each change of the targets; then systemctl daemon-reload',
    },
  );
}

function registerSchema(parent: Command, run: Runner): void {
  const command = parent
    .command('schema')
    .description('Print the JSON Schema of the configuration, for editors.')
    .action(
      run(async (context) => {
        const { printSchema } = await import('../config-answers.ts');
        return await printSchema(context);
      }),
    );
  withExamples(command, { line: 'tokeep config schema > tokeep.schema.json', does: 'for the editor of your choice' });
}
