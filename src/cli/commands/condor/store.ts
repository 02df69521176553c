import { type CommandModule, withExamples } from '../../command.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('store')
    .description(
      'See to it that condor_credd has what a job asks for: SEC_CREDENTIAL_STORER of HTCondor, which condor_submit runs as the user. ' +
        'A handle gets a token of its own, with the scopes and audience that the job asks for, made from the credential of its service. ' +
        'As a knob, which takes a plain path: tokeep-credential-storer.',
    )
    .usage('[options] SERVICE[&handle=NAME][&scopes=A,B][&audience=TEXT]...')
    .argument('<SERVICE...>', 'what condor_submit hands over, one for each service of the job')
    .action(
      run(async ({ world, signal, warn, io }, services: readonly string[]) => {
        const { condorStore } = await import('../../condor-store-answer.ts');
        return await condorStore({ world, signal, terminal: io.stderr.isTTY, say: warn }, services);
      }),
    );
  withExamples(
    command,
    {
      line: "tokeep condor store 'mytok&handle=rd&scopes=storage.read:/data'",
      does: 'what condor_submit does for a job with mytok_oauth_permissions_rd = storage.read:/data',
    },
    { line: 'tokeep condor store mytok', does: 'is my credential there, with a token made from it' },
  );
};
