import type { CommandModule } from '../command.ts';
import { register as audit } from './issuer/audit.ts';
import { register as client } from './issuer/client.ts';
import { register as database } from './issuer/database.ts';
import { register as importKey } from './issuer/import.ts';
import { register as init } from './issuer/init.ts';
import { register as keys } from './issuer/keys.ts';
import { register as serve } from './issuer/serve.ts';
import { register as sign } from './issuer/sign.ts';
import { register as site } from './issuer/site.ts';
import { register as trust } from './issuer/trust.ts';

/** One file of issuer/ for each group of verbs. */
const parts: readonly CommandModule['register'][] = [
  init,
  importKey,
  sign,
  site,
  keys,
  audit,
  serve,
  client,
  database,
  trust,
];

export const register: CommandModule['register'] = (parent, run) => {
  const issuer = parent
    .command('issuer')
    .description('Issue tokens for a collaboration: keys, signing, the published site, the server.');
  for (const part of parts) part(issuer, run);
};
