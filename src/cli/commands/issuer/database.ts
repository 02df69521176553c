import { type CommandModule, withExamples } from '../../command.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('database')
    .description(
      'Print the SQL that lets a role of PostgreSQL run the server and no more: it cannot change a line of the audit log, nor a client.',
    )
    .argument('<ROLE>', 'the role that the server connects as')
    .action(
      run(async (context, role: string) => {
        const { roleStatements } = await import('../../../issue/audit-rights.ts');
        for (const statement of roleStatements(role)) await context.print(statement);
        return undefined;
      }),
    );
  withExamples(command, {
    line: 'tokeep issuer database tokeep_server | psql tokeep',
    does: 'as the owner of the tables, after the first start made them',
  });
};
