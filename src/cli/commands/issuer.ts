import type { CommandModule } from '../command.ts';

/** One file of issuer/ for each group of verbs. */
const parts: readonly CommandModule['register'][] = [];

export const register: CommandModule['register'] = (parent, run) => {
  const issuer = parent
    .command('issuer')
    .description('Issue tokens for a collaboration: keys, signing, the published site, the server.');
  for (const part of parts) part(issuer, run);
};
