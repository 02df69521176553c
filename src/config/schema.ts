import { z } from 'zod';
import { accountSchema } from './schema-accounts.ts';
import { limitsSchema, metricsSchema, notifySchema, sealSchema, storeSchema } from './schema-settings.ts';
import { tokenSchema } from './schema-tokens.ts';
import { issuerUrl, path, section } from './schema-values.ts';

/** All of `tokeep.yaml`. It is checked section by section (`yaml.ts`), so that one bad section leaves the others standing. */
export const configSchema = section({
  accounts: z.record(z.string(), accountSchema).optional().meta({
    description: 'The right to ask issuers for tokens; each account has a name of your choice.',
  }),
  tokens: z.record(z.string(), tokenSchema).optional().meta({
    description: 'The tokens to be kept fresh; each has a name of your choice.',
  }),
  notify: z.record(z.string(), notifySchema).optional().meta({
    description: 'Who is told when something is wrong; each way has a name of your choice.',
  }),
  limits: limitsSchema.optional().meta({ description: 'How much is asked of any one issuer.' }),
  issuers: z.record(issuerUrl, limitsSchema).optional().meta({
    description: 'Limits for single issuers, by issuer URL.',
  }),
  store: storeSchema.optional().meta({ description: 'Where records are kept.' }),
  seal: sealSchema.optional().meta({
    description:
      'What seals the secrets in the state: a systemd credential `tokeep.seal-key`, if there is one; else, with `seal:`, a key that is derived from a passphrase; else a key file, made at the first run. A state that has a key file already is brought over with `tokeep seal rotate`.',
  }),
  state: path.optional().meta({
    description:
      'The state directory (default /var/lib/tokeep, for users $XDG_STATE_HOME/tokeep); `--state` is stronger.',
  }),
  spool: path.optional().meta({
    description:
      'A directory on another file system, where a new refresh token is saved when the state directory takes nothing.',
  }),
  metrics: metricsSchema.optional().meta({ description: 'Metrics for Prometheus.' }),
});

export const settingKeys = Object.keys(configSchema.shape);
