import type { CommandModule } from '../command.ts';
import { register as logins } from './credmon/logins.ts';
import { register as keep } from './credmon/run.ts';
import { register as sessions } from './credmon/sessions.ts';
import { register as status } from './credmon/status.ts';
import { register as web } from './credmon/web.ts';

/** One file of credmon/ for each verb. */
const parts: readonly CommandModule['register'][] = [keep, status, web, logins, sessions];

export const register: CommandModule['register'] = (parent, run) => {
  const credmon = parent
    .command('credmon')
    .description("Keep the tokens of HTCondor's jobs fresh; without a verb, as `run`.");
  for (const part of parts) part(credmon, run);
};
