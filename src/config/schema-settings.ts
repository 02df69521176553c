import { z } from 'zod';
import { argv, duration, path, secret, section, text, url } from './schema-values.ts';

const mail = section({
  to: z
    .union([z.string().transform((one) => [one]), z.array(text).min(1)], {
      error: 'must be an address or a list of them',
    })
    .meta({
      description: 'who gets it',
    }),
  from: text.meta({ description: 'the sender' }),
  host: text.optional().meta({ description: 'the SMTP server (default localhost)' }),
  port: z.int().min(1).max(65_535).optional().meta({ description: 'its port (default 25, with `implicit` 465)' }),
  tls: z.enum(['starttls', 'implicit', 'none']).optional().meta({
    description: 'how the way to the server is kept secret (default `starttls`, for localhost `none`)',
  }),
  user: text.optional().meta({ description: 'the user to log in as' }),
  password: secret.optional().meta({ description: 'the password of `user`' }),
}).superRefine(({ user, password }, context) => {
  if ((user === undefined) === (password === undefined)) return;
  const missing = user === undefined ? 'user' : 'password';
  context.addIssue({ code: 'custom', path: [missing], message: 'is missing' });
});

const webhook = section({
  url: url.meta({ description: 'where messages are posted' }),
  form: z
    .enum(['json', 'slack'])
    .optional()
    .meta({ description: 'our own JSON (default), or what Slack and Mattermost read' }),
  ca_file: path.optional().meta({ description: 'a PEM file with the CAs to trust' }),
  bearer: secret.optional().meta({ description: 'sent as `Authorization: Bearer …`' }),
});

const only = z.array(text).optional().meta({
  description: 'the accounts and tokens it is about; names may end in `*` (default: all)',
});

export const notifySchema = z
  .union(
    [
      section({ mail: mail.meta({ description: 'send mail' }), only }),
      section({ webhook: webhook.meta({ description: 'post to a web address' }), only }),
      section({
        command: argv.meta({ description: 'run a program; it gets the message as JSON on its standard input' }),
        timeout: duration.optional().meta({ description: 'how long it may take (default 30s)' }),
        only,
      }),
    ],
    { error: 'must be a mapping with one of: mail, webhook, command' },
  )
  .meta({ description: 'One way to tell somebody. One of `mail`, `webhook`, `command`.' });
export type NotifyInput = z.output<typeof notifySchema>;

export const limitsSchema = section({
  concurrency: z.int().min(1).max(1000).optional().meta({ description: 'requests under way at a time (default 4)' }),
  per_second: z.number().min(0.001).max(100_000).optional().meta({ description: 'requests a second (default 100)' }),
});
export type LimitsInput = z.output<typeof limitsSchema>;

export const storeSchema = z.discriminatedUnion('kind', [
  section({ kind: z.literal('sqlite') }).meta({ description: 'A file in the state directory (the default).' }),
  section({
    kind: z.literal('postgres'),
    url: secret.meta({ description: 'the connection URL, by reference, since it may hold a password' }),
    ca_file: path.optional().meta({ description: 'a PEM file with the CAs to trust for the database' }),
  }).meta({
    description:
      'A PostgreSQL database, which several nodes can share, each by its host name or by what `TOKEEP_NODE` says. They share the sealing key.',
  }),
]);
export type StoreInput = z.output<typeof storeSchema>;

export const sealSchema = section({
  passphrase: secret.meta({
    description:
      'the sealing key is derived from it (argon2id), and only a salt lies in the key file; 12 characters at least',
  }),
});

export const metricsSchema = section({
  listen: text
    .regex(/^(.*):\d{1,5}$/, { error: 'must be HOST:PORT, such as 127.0.0.1:9118' })
    .optional()
    .meta({ description: '`HOST:PORT` where `tokeep run` serves Prometheus metrics' }),
  textfile: path
    .optional()
    .meta({ description: 'a file for the textfile collector of node_exporter, written after each pass' }),
});
export type MetricsInput = z.output<typeof metricsSchema>;
