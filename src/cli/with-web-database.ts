import { openWebDatabase, webDatabaseFile } from '../condor/web/web-schema.ts';
import type { ExitCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { Database } from '../store/database.ts';
import { asStateOwner } from './as-state-owner.ts';
import type { Context } from './context.ts';
import { readWebSettings, type WebPlaces } from './credmon-web-settings.ts';

/** Works on the database of the web login beside it, as its owner: what root wrote into it, its owner could not open any more. */
export async function withWebDatabase(
  context: Context,
  places: WebPlaces,
  work: (database: Database) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { world } = context;
  const { web } = await readWebSettings(context, places);
  const path = `${web.state}/${webDatabaseFile}`;
  if ((await world.files.look(path).catch((thrown) => closed(web.state, thrown))) === undefined) {
    throw new Fault('config-missing', `there is no web login with its state in ${web.state}`, {
      hint: 'start it once: tokeep credmon web',
    });
  }
  await asStateOwner(world, web.state);
  const database = await openWebDatabase(world, web.state);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

function closed(state: string, thrown: unknown): never {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code !== 'EACCES') throw thrown;
  throw new Fault('state-unsafe', `the state of the web login, ${state}, is closed to us (EACCES)`, {
    hint: 'run it as root, or as TOKEEP_WEB_USER',
  });
}
