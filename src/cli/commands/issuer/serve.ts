import { InvalidArgumentError } from 'commander';
import { type CommandModule, withExamples } from '../../command.ts';
import { dirOption } from '../../issuer-options.ts';
import type { ServeOptions } from '../../issuer-serve.ts';
import { severalWords } from '../../repeated-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('serve')
    .description(
      'Serve the issuer: metadata, keys, token endpoint, introspection, revocation. SIGTERM ends it after what is under way; SIGHUP looks at settings and certificate at once.',
    )
    .addOption(dirOption())
    .option('--listen <ADDRESS>', 'where to listen, [HOST:]PORT', '127.0.0.1:8443')
    .option('--cert <FILE>', 'TLS certificate chain in PEM; read again when it changes')
    .option('--key <FILE>', 'its private key')
    .option('--behind-proxy <NETWORKS>', 'addresses or networks of the proxies to believe; repeatable', severalWords)
    .option('--metrics <ADDRESS>', 'serve Prometheus metrics there, such as 127.0.0.1:9465')
    .option('--client-rate <N>', 'requests a second for each client', rate, 200)
    .option('--address-rate <N>', 'requests a second for each address', rate, 500)
    .action(
      run(async (context, options: ServeOptions) => {
        const { serveIssuer } = await import('../../issuer-serve.ts');
        return await serveIssuer(context, options);
      }),
    );
  withExamples(
    command,
    {
      line: 'tokeep issuer serve --listen [::]:8443 --cert /etc/tokeep/tls/cert.pem --key /etc/tokeep/tls/key.pem',
      does: 'by https, with its own certificate',
    },
    {
      line: 'tokeep issuer serve --listen 127.0.0.1:8080 --behind-proxy 127.0.0.1',
      does: 'behind nginx on the same machine',
    },
  );
};

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1_000_000)) throw new InvalidArgumentError('Expected a number of requests a second');
  return value;
}
