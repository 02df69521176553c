import { lchown } from 'node:fs/promises';
import { loadConfig } from '../../config/load.ts';
import { Fault } from '../../fault/fault.ts';
import { openSealer } from '../../store/seal-key.ts';
import type { Context } from '../context.ts';
import { openContext } from '../open-context.ts';
import { sealPassphrase } from '../open-state.ts';
import { becomeUser, environmentOf, findUser, type ServiceUser } from '../service-user.ts';
import { sealKeyFile } from '../state-place.ts';
import { demandUsable } from '../usable-config.ts';

const serviceUser = 'tokeep';

/** Whom root is going to be when state is written: `--user`, else the service's user. Undefined: we stay who we are. */
export async function serviceUserFor(context: Context, named: string | undefined): Promise<ServiceUser | undefined> {
  if (context.world.user.uid !== 0) {
    if (named === undefined) return undefined;
    throw new Fault('usage', '--user is for root only: this is not root');
  }
  const user = await findUser(context.world, named ?? serviceUser);
  if (user?.uid === 0) return undefined;
  if (user !== undefined) return user;
  if (named !== undefined) throw new Fault('usage', `there is no user ${JSON.stringify(named)} on this machine`);
  await context.warn(`there is no user ${serviceUser} on this machine; the state will belong to root`);
  return undefined;
}

/**
 * A context of the service's user: its state directory and sealing key are made ready while we are root, then root is given up
 * for good. Without a user the context stays as it is.
 */
export async function asServiceUser(
  context: Context,
  user: ServiceUser | undefined,
  configPath: string,
): Promise<Context> {
  if (user === undefined) return context;
  const { world, io, options } = context;
  const state = await context.stateDir();
  if ((await world.files.look(state)) === undefined) {
    await world.files.makeDirectories(state, 0o700);
    await lchown(state, user.uid, user.gid);
  }
  const keyFile = sealKeyFile(environmentOf(user, world.env), user.uid, state);
  // Below its home the user makes the key itself; in /etc only root can.
  if (!keyFile.startsWith(`${user.home}/`)) {
    if ((await world.files.look(keyFile)) === undefined) await makeKey(context, keyFile, configPath);
    // A key from a systemd credential leaves no file behind; one that is the user's already stays as it is.
    if ((await world.files.look(keyFile))?.owner === 0) await lchown(keyFile, user.uid, user.gid);
  }
  becomeUser(user);
  return openContext(io, { ...options, config: configPath, state });
}

async function makeKey({ world }: Context, keyFile: string, configPath: string): Promise<void> {
  const config = await loadConfig(world, configPath);
  demandUsable(config);
  await openSealer(world, { keyFile, ...(await sealPassphrase(world, config)) });
}
