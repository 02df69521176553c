import { z } from 'zod';
import { argv, duration, fileMode, path, section, text } from './schema-values.ts';

const words = z.array(text).min(1, { error: 'is an empty list' });

const fileTarget = section({
  file: path.meta({ description: 'the file to keep the token in; its directory must exist' }),
  owner: text.optional().meta({ description: 'the user that owns the file (default: the one tokeep runs as)' }),
  group: text.optional().meta({ description: 'the group of the file' }),
  mode: fileMode
    .optional()
    .meta({ description: 'the permissions, in quotes; never anything for everybody (default `"0600"`)' }),
  existing: z.enum(['set', 'keep']).optional().meta({
    description: 'an existing file gets owner, group and mode as above (`set`, the default), or keeps its own (`keep`)',
  }),
  in_place: z.boolean().optional().meta({
    description: 'write into the file instead of replacing it, for a single file that is bind-mounted (default false)',
  }),
}).meta({ description: 'A file, replaced in one step.' });

const discoveryTarget = section({
  discovery: text.meta({ description: 'the user whose programs shall find the token' }),
  purpose: text.optional().meta({ description: 'a suffix of the file name, for a second token of the same user' }),
}).meta({ description: 'The place of WLCG bearer token discovery.' });

const execTarget = section({
  exec: argv.meta({ description: 'the program that takes the token, with its absolute path, then its arguments' }),
  hands: z.enum(['stdin', 'file']).optional().meta({
    description:
      'how it gets the token: on its standard input (default), or as the path of a file in its last argument',
  }),
  timeout: duration.optional().meta({ description: 'how long it may take (default 30s)' }),
}).meta({ description: 'A command, run without a shell.' });

/** What condor_credd takes for a part of a file name; a placeholder of `for_each` may stand in it. */
const condorName = text.regex(/^[A-Za-z0-9\-+=_.{}]+$/, {
  error: 'may hold letters, digits and - + = _ . only, as condor_credd has it',
});

const htcondorTarget = section({
  htcondor: text
    .regex(/^[A-Za-z0-9\-+=_.{}]+(@[A-Za-z0-9\-_.{}]+)?$/, {
      error: 'is not a user such as alice or alice@example.org',
    })
    .meta({ description: 'the user of HTCondor whose jobs shall have the token, such as alice or alice@example.org' }),
  service: condorName.meta({ description: 'its name in `use_oauth_services`' }),
  handle: condorName.optional().meta({ description: 'its handle, where the service has several tokens' }),
  program: path.optional().meta({
    description: 'condor_store_cred (default: `/usr/sbin/condor_store_cred`, else `/usr/bin/condor_store_cred`)',
  }),
  credd: text.optional().meta({ description: 'the host of condor_credd, if it is another one (CREDD_HOST)' }),
  condor_config: path
    .optional()
    .meta({ description: 'where HTCondor is configured, if not in /etc/condor (CONDOR_CONFIG)' }),
  timeout: duration.optional().meta({ description: 'how long it may take (default 30s)' }),
}).meta({ description: 'A credential of a user at an access point of HTCondor, pushed with condor_store_cred.' });

const target = z.union([fileTarget, discoveryTarget, execTarget, htcondorTarget], {
  error: 'must be a mapping with one of: file, discovery, exec, htcondor',
});

const forEach = z.union(
  [
    section({ file: path.meta({ description: 'a YAML or JSON file with a list of rows' }) }),
    section({ command: argv.meta({ description: 'a program that prints such a list' }) }),
  ],
  { error: 'must say where the rows come from: { file: PATH } or { command: [PROGRAM, …] }' },
);

export const tokenSchema = section({
  account: text.meta({ description: 'the account that asks for it' }),
  audience: z
    .union([z.string(), words, section({ raw: text.meta({ description: 'sent as one value, exactly so' }) })], {
      error: 'must be a text or a list',
    })
    .optional()
    .meta({ description: 'for whom the token is: a list, or a text with blanks or commas between' }),
  scope: z.union([z.string(), words], { error: 'must be a text or a list' }).optional().meta({
    description:
      'what the token may do: a list, or a text with blanks or commas between; `" "` asks with a blank scope, absent does not ask',
  }),
  lifetime: duration
    .optional()
    .meta({ description: 'how long the token shall live, for grants where that can be chosen' }),
  subject: text.optional().meta({ description: 'for whom the token speaks, for grants where that can be chosen' }),
  min_lifetime: duration
    .optional()
    .meta({ description: 'what a consumer needs at least; the token is renewed before less is left' }),
  renew: z.enum(['due-point', 'each-pass']).optional().meta({
    description:
      "when it is due (default), or also in each `tokeep renew`, as OSG's renewer does without `min_lifetime`",
  }),
  for_each: forEach.optional().meta({
    description: 'one token for each row; `{column}` in the name and the values of this section is replaced',
  }),
  deliver: z.array(target, { error: 'must be a list' }).optional().meta({ description: 'where the token goes' }),
});
export type TokenInput = z.output<typeof tokenSchema>;
export type TargetInput = z.output<typeof target>;
export type RowSource = z.output<typeof forEach>;
