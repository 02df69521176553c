import { Option } from 'commander';
import { days } from '../../../token/time.ts';
import { lengthArgument } from '../../arguments.ts';
import { type CommandModule, withExamples } from '../../command.ts';
import type { AddClientOptions, RotateSecretOptions } from '../../issuer-client-answer.ts';
import { dirOption } from '../../issuer-options.ts';
import { severalWords } from '../../repeated-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const client = parent.command('client').description('The programs that may ask the server for tokens.');
  registerAdd(client, run);
  withExamples(
    client
      .command('list')
      .description('Which clients there are, and what they may ask for.')
      .addOption(dirOption())
      .action(
        run(async (context, options: { readonly dir?: string }) => {
          const { listClients } = await import('../../issuer-client-answer.ts');
          return await listClients(context, options.dir);
        }),
      ),
    { line: 'tokeep issuer client list', does: 'one line for each client' },
  );
  withExamples(
    client
      .command('rotate-secret')
      .description('Give a client a new secret; the old one holds on for a while, so that it can be exchanged.')
      .argument('<ID>', 'the id of the client')
      .addOption(dirOption())
      .addOption(
        new Option('--grace <LENGTH>', 'how long the old one is still good')
          .argParser(lengthArgument)
          .default(days(1), '1d'),
      )
      .option('--secret-file <FILE>', 'write the secret there, for you alone to read, instead of printing it')
      .action(
        run(async (context, id: string, options: RotateSecretOptions) => {
          const { rotateSecret } = await import('../../issuer-client-answer.ts');
          return await rotateSecret(context, id, options);
        }),
      ),
    { line: 'tokeep issuer client rotate-secret client-rucio --grace 1h', does: 'after the secret was seen by others' },
  );
  withExamples(
    client
      .command('remove')
      .description('Take a client away: it gets nothing from this moment, and its refresh tokens are revoked.')
      .argument('<ID>', 'the id of the client')
      .addOption(dirOption())
      .action(
        run(async (context, id: string, options: { readonly dir?: string }) => {
          const { removeClient } = await import('../../issuer-client-answer.ts');
          return await removeClient(context, id, options.dir);
        }),
      ),
    { line: 'tokeep issuer client remove client-rucio', does: 'tokens that it has got live on until they end' },
  );
};

const registerAdd: CommandModule['register'] = (client, run) => {
  const add = client
    .command('add')
    .description('Add a client, within the bounds of issuer.yaml. Its secret is shown once, and only its hash is kept.')
    .argument('<NAME>', 'what people call it')
    .addOption(dirOption())
    .option('--id <ID>', 'client-SOMETHING or host:NAME.OF.HOST (default: a UUID)')
    .addOption(
      new Option('--grant <GRANT>', 'what it may ask with; repeatable (default: client_credentials)')
        .choices(['client_credentials', 'token_exchange', 'refresh_token'])
        .argParser(severalWords),
    )
    .option('--scope <SCOPES>', 'what it may ask for, separated by blanks; repeatable', severalWords)
    .option(
      '--audience <AUDIENCE>',
      'services it may ask for; `*` stands for any text without a slash; repeatable',
      severalWords,
    )
    .option('--everyone', 'it may ask for tokens that every service accepts')
    .option('--subject <SUBJECT>', 'who its own tokens are about (default: its id)')
    .option('--lifetime <LENGTH>', 'how long its tokens live at most', lengthArgument)
    .option(
      '--serves <AUDIENCE>',
      'an audience it is itself: it may introspect tokens for that; repeatable',
      severalWords,
    )
    .option('--public-key <FILE>', 'it proves itself with the key to this one (PEM or JWK) instead of a secret')
    .option('--secret-file <FILE>', 'write the secret there, for you alone to read, instead of printing it')
    .action(
      run(async (context, name: string, options: AddClientOptions) => {
        const { addClient } = await import('../../issuer-client-answer.ts');
        return await addClient(context, name, options);
      }),
    );
  withExamples(
    add,
    {
      line: "tokeep issuer client add rucio --id client-rucio --grant token_exchange --scope 'storage.read:/ storage.modify:/' --audience 'https://*.example.org'",
      does: 'prints its secret, once',
    },
    {
      line: 'tokeep issuer client add monitoring --scope storage.read:/monitoring --audience https://se.example.org --public-key monitoring.pub',
      does: 'without a secret: it signs its requests with a key of its own',
    },
  );
};
