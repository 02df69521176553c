import type { CommandModule } from '../command.ts';
import { register as init } from './issuer/init.ts';
import { register as sign } from './issuer/sign.ts';

/** One file of issuer/ for each group of verbs. */
const parts: readonly CommandModule['register'][] = [init, sign];

export const register: CommandModule['register'] = (parent, run) => {
  const issuer = parent
    .command('issuer')
    .description('Issue tokens for a collaboration: keys, signing, the published site, the server.');
  for (const part of parts) part(issuer, run);
};
