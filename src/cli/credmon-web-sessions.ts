import { type KnownSession, SessionTable } from '../condor/web/session-table.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { counted, printable, timestamp } from '../observe/printable.ts';
import type { Context } from './context.ts';
import type { WebPlaces } from './credmon-web-settings.ts';
import { withWebDatabase } from './with-web-database.ts';

export type SessionsOptions = WebPlaces;

/** `tokeep credmon sessions list`. */
export async function listSessions(context: Context, options: SessionsOptions): Promise<ExitCode> {
  return await withWebDatabase(context, options, async (database) => {
    const all = await new SessionTable(database, context.world).all();
    if (context.options.json) {
      await context.printJson(all.map(jsonOf));
      return exit.fine;
    }
    for (const session of all) await context.print(lineOf(session));
    if (all.length === 0) await context.say('no browser is at it');
    return exit.fine;
  });
}

/** `tokeep credmon sessions end USER`. */
export async function endSessions(context: Context, user: string, options: SessionsOptions): Promise<ExitCode> {
  return await withWebDatabase(context, options, async (database) => {
    const ended = await new SessionTable(database, context.world).endOf(user);
    if (ended === 0) {
      throw new Fault('usage', `no browser is at it for ${printable(user)}`, {
        hint: 'see: tokeep credmon sessions list',
      });
    }
    await context.say(`${counted(ended, 'session')} of ${printable(user)} ended; tokens that are there already stay`);
    return exit.fine;
  });
}

function lineOf({ user, person, services, since, seenAt }: KnownSession): string {
  const who = user === undefined ? 'nobody yet' : `${printable(user)} (${services.map(printable).join(', ')})`;
  const as = person === undefined ? '' : `, logged in here as ${printable(person)}`;
  return `${who}${as}: since ${timestamp(since)}, last seen ${timestamp(seenAt)}`;
}

const jsonOf = ({ since, seenAt, ...session }: KnownSession) => ({
  ...session,
  since: timestamp(since),
  seen_at: timestamp(seenAt),
});
