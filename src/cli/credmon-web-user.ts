import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path/posix';
import type { WebSettings } from '../condor/settings.ts';
import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';
import { becomeUser, findUser, type ServiceUser } from './service-user.ts';

/**
 * The web login never works as root: root makes its state directory, and becomes TOKEEP_WEB_USER with all of that user's groups, for good.
 * Whoever else starts it stays who they are.
 */
export async function becomeWebUser(world: World, { user: name, state }: WebSettings): Promise<void> {
  if (world.user.uid !== 0) return;
  const user = await findUser(world, name);
  if (user === undefined) throw unfit(`there is no user ${name} on this machine, as whom the web login is to run`);
  if (user.uid === 0) throw unfit('the web login does not run as root');
  await makeState(world, state, user);
  becomeUser(user);
}

const unfit = (sentence: string): Fault =>
  new Fault('config-invalid', sentence, { hint: 'set TOKEEP_WEB_USER; it is condor as a rule' });

/** One that is there is left as it is: whether it will do is judged by whoever it has to do for. */
async function makeState({ files }: World, state: string, { uid, gid }: ServiceUser): Promise<void> {
  if ((await files.look(state)) !== undefined) return;
  await files.makeDirectories(dirname(state), 0o711);
  await files.makeDirectories(state, 0o700);
  const directory = await open(state, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await directory.chown(uid, gid);
  } finally {
    await directory.close();
  }
}
