import type { Command } from 'commander';
import { nearest } from '../../fault/nearest.ts';
import type { CommandModule } from '../command.ts';
import { register as logins } from './credmon/logins.ts';
import { register as keep } from './credmon/run.ts';
import { register as sessions } from './credmon/sessions.ts';
import { register as status } from './credmon/status.ts';
import { register as web } from './credmon/web.ts';

/** The options of every command name the usual places of a tokeep that is not HTCondor's. */
const knobsDecide = `
Without --state and --config, HTCondor's knobs decide here: TOKEEP_CREDMON_STATE (of web, logins and sessions: TOKEEP_WEB_STATE) and
TOKEEP_CREDMON_CONFIG.`;

/** One file of credmon/ for each verb. */
const parts: readonly CommandModule['register'][] = [keep, status, web, logins, sessions];

export const register: CommandModule['register'] = (parent, run) => {
  const credmon = parent
    .command('credmon')
    .description(
      "Keep the tokens of HTCondor's jobs fresh; without a verb, as `run`, whose options (-c, -l, -n, -d, -v) see with: tokeep credmon run --help.",
    )
    .addHelpText('afterAll', knobsDecide)
    .hook('preSubcommand', refuseStrayWord);
  for (const part of parts) part(credmon, run);
};

/** Else it would be an argument too many of `run`, which nobody has written. */
function refuseStrayWord(credmon: Command): void {
  const word = credmon.args[0];
  const known = credmon.commands.map((command) => command.name());
  if (word === undefined || word.startsWith('-') || known.includes(word)) return;
  const meant = nearest(word, known) ?? known.find((name) => name.startsWith(word));
  const guess = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  credmon.error(`error: unknown command '${word}'${guess}`, { code: 'commander.unknownCommand' });
}
