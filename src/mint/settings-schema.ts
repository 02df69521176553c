import { z } from 'zod';
import { duration, issuerUrl, path, secret, section, text } from '../config/schema-values.ts';
import { nearest } from '../fault/nearest.ts';
import { parseScope, wlcgScopeNames } from '../token/capability.ts';
import { lifetimeTable } from '../token/lifetimes.ts';

const word = text.regex(/^\S+$/, { error: 'holds a blank' });
const list = (description: string) => z.array(word).optional().meta({ description });

/** A scope that could never be given, or that no service knows, would look as if it allowed something. */
function unfitScope(text: string): string | undefined {
  if (text.includes('*')) return undefined;
  const scope = parseScope(text);
  if (scope.kind === 'refused') return scope.why;
  // WLCG profile 1.3, "Capability based authorization": these words are taken, each with its operations.
  if (scope.kind !== 'other' || !/^(storage|compute)\./.test(text)) return undefined;
  const [name = ''] = text.split(':');
  if (wlcgScopeNames.includes(name)) return `${name} has no path`;
  const meant = nearest(name, wlcgScopeNames);
  return `no profile has ${name}${meant === undefined ? `, but ${wlcgScopeNames.join(', ')}` : ` (did you mean ${meant}?)`}`;
}

const allowedScope = word.superRefine((value, context) => {
  const why = unfitScope(value);
  if (why !== undefined) context.addIssue({ code: 'custom', message: `is no scope that may be signed: ${why}` });
});

const { accessToken, keyCacheExpiry, signingKey } = lifetimeTable;

const policy = section({
  scopes: z.array(allowedScope).optional().meta({
    description: 'scopes that may be given, and all below their paths; `*` stands for any text without a blank',
  }),
  audiences: list('services that tokens may be for; `*` as above, but not over a slash unless it stands alone'),
  everyone: z
    .boolean()
    .optional()
    .meta({ description: 'may a token be made that every service accepts (default false)' }),
  subjects: z.array(text).optional().meta({ description: 'who tokens may be about; `*` as above' }),
  groups: list('groups that may be given; `*` as above'),
  claims: list('names of further claims that may be set'),
  lifetime: section({
    usual: duration.optional().meta({ description: 'where nothing else is asked for (default 1h)' }),
    most: duration.optional().meta({ description: 'what longer wishes are cut to (default 6h)' }),
  })
    .superRefine(({ usual, most }, context) => {
      if (usual === undefined || usual <= (most ?? accessToken.most)) return;
      const message = `must not be longer than "most"${most === undefined ? ' (default 6h)' : ''}`;
      context.addIssue({ code: 'custom', path: ['usual'], message });
    })
    .optional()
    .meta({ description: 'how long tokens live' }),
  suspend: z.array(text).optional().meta({ description: 'subjects that get nothing more; `*` stands for any text' }),
});

const rotation = section({
  ahead: duration.optional().meta({ description: 'how long a key is published before it signs (default 2d)' }),
  behind: duration
    .optional()
    .meta({ description: 'how long a key stays published after the last token it signed has ended (default 1h)' }),
  life: duration.optional().meta({ description: 'how long a key signs (default 182d)' }),
}).superRefine(({ ahead, life }, context) => {
  if ((life ?? signingKey.recommended) > (ahead ?? keyCacheExpiry.recommended)) return;
  const [name, message] =
    life === undefined
      ? ['ahead', 'must be shorter than "life" (default 182d)']
      : ['life', 'must be longer than "ahead" (default 2d)'];
  context.addIssue({ code: 'custom', path: [name], message });
});

/** All of issuer.yaml. */
export const settingsSchema = section({
  issuer: issuerUrl.meta({ description: 'the URL of the issuer, exactly as it stands in `iss`' }),
  profile: z
    .enum(['wlcg', 'scitokens', 'at+jwt'])
    .optional()
    .meta({ description: 'by whose rules tokens are made (default `wlcg`)' }),
  policy: policy.optional().meta({ description: 'what may be signed; what is not named is not allowed' }),
  audit: section({
    subjects: z
      .enum(['plain', 'hashed'])
      .optional()
      .meta({ description: 'how subjects stand in the audit log (default `plain`)' }),
  })
    .optional()
    .meta({ description: 'the audit log' }),
  keys: z
    .enum(['sealed', 'file'])
    .optional()
    .meta({ description: 'where new private keys go: sealed into the database (default), or to `keys/KID.pem`' }),
  rotation: rotation.optional().meta({ description: 'the times of a key rotation' }),
  store: section({
    postgres: section({
      url: secret.meta({ description: 'the connection URL, by reference, since it may hold a password' }),
      ca_file: path.optional().meta({ description: 'a PEM file with the CAs to trust for the database' }),
    }).meta({ description: 'a PostgreSQL database, which several nodes can share' }),
  })
    .optional()
    .meta({ description: 'where keys and audit log lie, if not in `issuer.db`' }),
  htcondor: section({
    ver: word.optional().meta({ description: 'the claim `ver` in tokens of the profile `scitokens`; none without it' }),
  })
    .optional()
    .meta({
      description:
        "write claims as HTCondor's local issuer does: `aud` a list, no `client_id`; audiences are then no patterns, and may be none",
    }),
});
export type SettingsInput = z.output<typeof settingsSchema>;
