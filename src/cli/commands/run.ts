import { setFlagsFromString } from 'node:v8';
import { type CommandModule, withExamples } from '../command.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('run')
    .description(
      'Keep every token fresh until told to stop. SIGHUP reads the configuration again; SIGTERM and SIGINT stop after what is under way. Tells systemd when it is ready, and that it is alive.',
    )
    .option('--metrics <ADDRESS>', 'serve Prometheus metrics there, such as 127.0.0.1:9464')
    .action(
      run(async (context, options: { readonly metrics?: string }) => {
        // It sleeps nearly always and lives for months: a heap that grows late is worth more than the last bit of speed.
        setFlagsFromString('--optimize-for-size');
        const { keepRunning } = await import('../daemon-run.ts');
        return await keepRunning(context, options.metrics);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep run', does: 'in the foreground, as systemd starts it' },
    { line: 'tokeep run --metrics 127.0.0.1:9464', does: 'with metrics at http://127.0.0.1:9464/metrics' },
  );
};
